/** A native dialog: it keeps the focus, Escape closes it, and then the focus returns. The element with `data-first` gets the
 *  focus first. */
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
