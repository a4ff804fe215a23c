/** A progress bar on standard error, only on a terminal. */
import type { Io } from '../io.ts';

const WIDTH = 30;
const EVERY_MS = 100;

export type Bar = { show(done: number, total: number, note?: string): void; end(): void };

export function progressBar(io: Io, what: string): Bar {
  let shownAt = 0;
  let shown = false;
  return {
    show: (done, total, note = '') => {
      if (!io.errTerminal || (io.nowMs() - shownAt < EVERY_MS && done < total)) return;
      shownAt = io.nowMs();
      shown = true;
      io.err(`\r\x1b[K${barText(what, done, total, note)}`);
    },
    end: () => {
      if (shown) io.err('\r\x1b[K');
    },
  };
}

export function barText(what: string, done: number, total: number, note: string): string {
  const share = total <= 0 ? 1 : Math.min(done / total, 1);
  const full = Math.floor(share * WIDTH);
  return `${what} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${Math.floor(share * 100)} %${note ? ` ${note}` : ''}`;
}
