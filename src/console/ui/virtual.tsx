/**
 * A table of any length: the document has only the visible rows and a few around them. All rows have the same height, so the
 * row follows from the scroll offset. `onView` gets the visible rows, so that a page fetches more data only for those.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const SPARE_ROWS = 8;
/** The scroll offset is saved after this pause. */
const SAVE_OFFSET_MS = 150;

export type VirtualProps<T> = {
  rows: readonly T[];
  keyOf(row: T): string;
  rowHeight: number;
  label: string;
  /** Filter and order of the rows. When it changes, the table scrolls to the top. */
  of?: string;
  head: ComponentChildren;
  children(row: T): ComponentChildren;
  onView?(rows: readonly T[]): void;
  /** Called when the end comes into view. */
  onEnd?(): void;
};

export function VirtualTable<T>(props: VirtualProps<T>) {
  const { rows, keyOf, rowHeight, label, of = '', head, children, onView, onEnd } = props;
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
  useKeptOffset(box, rows, keyOf, rowHeight, of);
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

/**
 * Visible rows stay where they are when rows above them come and go; at the top, new rows are shown. The Back button restores
 * the scroll offset.
 */
function useKeptOffset<T>(
  box: { current: HTMLElement | null },
  rows: readonly T[],
  keyOf: (row: T) => string,
  rowHeight: number,
  of: string,
): void {
  const seen = useRef({ rows, of, top: 0 });
  const wantedTop = useRef((history.state as { top?: number } | null)?.top ?? 0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const save = () => history.replaceState({ top: element.scrollTop }, '');
    const onScroll = () => {
      seen.current.top = element.scrollTop;
      clearTimeout(timer);
      timer = setTimeout(save, SAVE_OFFSET_MS);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    // A click may open another page.
    element.addEventListener('click', save, { capture: true });
    return () => {
      clearTimeout(timer);
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('click', save, { capture: true });
    };
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    const was = seen.current;
    if (!element) return;
    if (was.of !== of) element.scrollTop = 0;
    else if (wantedTop.current > 0 && rows.length * rowHeight >= wantedTop.current + element.clientHeight) {
      element.scrollTop = wantedTop.current;
      wantedTop.current = 0;
    } else if (was.top > 0 && was.rows !== rows) {
      const at = Math.floor(was.top / rowHeight);
      const row = was.rows[at];
      const key = row === undefined ? '' : keyOf(row);
      const moved = rows.findIndex((one) => keyOf(one) === key) - at;
      if (moved + at >= 0 && moved !== 0) element.scrollTop = was.top + moved * rowHeight;
    }
    seen.current = { rows, of, top: element.scrollTop };
  }, [rows, of]);
}

type CellProps = { children: ComponentChildren; class?: string; title?: string };

export function Cell({ children, class: name = '', title }: CellProps) {
  return (
    <div role="cell" class={`cell ${name}`} title={title}>
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
