/** A dialog of the browser's own: focus stays in it, Escape closes it, and focus goes back to where it was. What is marked
 *  `data-first` in it has the focus at first. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export type DialogProps = { title: string; onClose(): void; children: ComponentChildren; side?: boolean };

export function Dialog({ title, onClose, children, side = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
    element.current?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => element.current?.close();
  }, []);
  return (
    <dialog ref={element} class={side ? 'side' : ''} aria-label={title} onClose={onClose}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="quiet" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}
