/** Light, dark, or the setting of the system. The choice is the only thing that the browser stores. */
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'rt-theme';

export const theme = signal<Theme>((localStorage.getItem(KEY) as Theme | null) ?? 'system');

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(KEY, theme.value);
});
