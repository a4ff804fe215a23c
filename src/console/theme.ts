/** Light, dark, or as the system says; the choice is the one thing that is kept in the browser. */
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'rt-theme';

export const theme = signal<Theme>((localStorage.getItem(KEY) as Theme | null) ?? 'system');

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(KEY, theme.value);
});
