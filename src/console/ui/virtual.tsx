/**
 * A list of any length: only the rows in view, and a few around them, are in the document. Rows have one height, so that a
 * position says its row. Told which rows are in view, the owner can fetch what only they need.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const SPARE_ROWS = 8;

export type VirtualProps<T> = {
  rows: readonly T[];
  keyOf(row: T): string;
  rowHeight: number;
  label: string;
  head: ComponentChildren;
  children(row: T): ComponentChildren;
  onView?(rows: readonly T[]): void;
  /** Called when the end comes into view. */
  onEnd?(): void;
};

export function VirtualTable<T>(props: VirtualProps<T>) {
  const { rows, keyOf, rowHeight, label, head, children, onView, onEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - SPARE_ROWS);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + SPARE_ROWS);
  const shown = rows.slice(first, last);
  const shownKeys = shown.map(keyOf).join(' ');
  useEffect(() => {
    onView?.(shown);
    if (last >= rows.length) onEnd?.();
  }, [shownKeys, rows.length]);
  return (
    <div class="vtable" role="table" aria-label={label} aria-rowcount={rows.length + 1}>
      <div class="vrow vhead" role="row" aria-rowindex={1} tabIndex={-1}>
        {head}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div class="vbody" role="rowgroup" ref={box} tabIndex={0}>
        <div class="vspace" role="presentation" style={{ height: `${rows.length * rowHeight}px` }}>
          {shown.map((row, i) => (
            <div
              class="vrow"
              role="row"
              tabIndex={-1}
              aria-rowindex={first + i + 2}
              key={keyOf(row)}
              style={{ transform: `translateY(${(first + i) * rowHeight}px)`, height: `${rowHeight}px` }}
            >
              {children(row)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

export function Cell({ children, class: name = '' }: { children: ComponentChildren; class?: string }) {
  return (
    <div role="cell" class={`cell ${name}`}>
      {children}
    </div>
  );
}

export function HeadCell({ children, class: name = '' }: { children: ComponentChildren; class?: string }) {
  return (
    <div role="columnheader" class={`cell ${name}`} tabIndex={-1}>
      {children}
    </div>
  );
}
