/** All sensors of a task as a file: read page by page and put together in the browser, which nothing is sent from. */
import { useState } from 'preact/hooks';
import { csv } from '../../csv.ts';
import { action } from '../api/client.ts';
import type { PairRow, TaskDetail } from '../api/types.ts';
import { count } from '../format.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';

type Format = 'csv' | 'jsonl';

const PAGE = 10_000;
const COLUMNS = ['sid', 'hostname', 'state', 'attempt', 'at', 'reason'] as const;
const TYPES: Record<Format, string> = { csv: 'text/csv;charset=utf-8', jsonl: 'application/x-ndjson' };

const WRITERS: Record<Format, (rows: readonly PairRow[], isFirst: boolean) => string> = {
  csv: (rows, isFirst) => {
    const text = csv(
      COLUMNS,
      rows.map((row) => COLUMNS.map((name) => (name === 'at' ? new Date(row.at).toISOString() : row[name]))),
    );
    return isFirst ? text : text.slice(text.indexOf('\n') + 1);
  },
  jsonl: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
};

export function Export({ oid, taskId }: { oid: string; taskId: string }) {
  const [fault, setFault] = useState<string | null>(null);
  const [read, setRead] = useState<number | null>(null);
  const download = async (format: Format) => {
    setRead(0);
    setFault(null);
    try {
      const parts: string[] = [];
      let cursor: string | undefined;
      let rows = 0;
      do {
        const query = { task_id: taskId, limit: PAGE, ...(cursor ? { cursor } : {}) };
        const page = await action<TaskDetail>(oid, 'get', query);
        parts.push(WRITERS[format](page.sensors, rows === 0));
        rows += page.sensors.length;
        cursor = page.next_cursor;
        setRead(rows);
      } while (cursor !== undefined);
      save(new Blob(parts, { type: TYPES[format] }), `${taskId}.${format}`);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    setRead(null);
  };
  return (
    <>
      <Fault text={fault} />
      {read === null ? null : <span role="status">{count(read)} read …</span>}
      <button type="button" disabled={read !== null} onClick={() => void download('csv')}>
        Export CSV
      </button>
      <button type="button" disabled={read !== null} onClick={() => void download('jsonl')}>
        JSON Lines
      </button>
    </>
  );
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
