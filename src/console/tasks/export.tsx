/** All responses to a task as a file: the API streams it, and the browser saves it. */
import { useState } from 'preact/hooks';
import { open } from '../api/client.ts';
import { size } from '../format.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault } from '../ui/bits.tsx';
import { resultsPath } from './responses.tsx';

type Format = 'csv' | 'jsonl';

const FORMATS: readonly [Format, string, string][] = [
  ['csv', 'Export CSV', 'text/csv;charset=utf-8'],
  ['jsonl', 'Export JSON Lines', 'application/x-ndjson'],
];

export function Export({ oid, taskId }: { oid: string; taskId: string }) {
  const [fault, setFault] = useState<string | null>(null);
  const [read, setRead] = useState<number | null>(null);
  const download = async (format: Format, type: string) => {
    setRead(0);
    setFault(null);
    try {
      const response = await open(resultsPath(oid, taskId, { format }));
      save(new Blob(await partsOf(response, setRead), { type }), `${taskId}.${format}`);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    setRead(null);
  };
  return (
    <>
      <Fault text={fault} />
      {read === null ? null : <span role="status">{size(read)} read …</span>}
      {FORMATS.map(([format, label, type]) => (
        <button key={format} type="button" disabled={read !== null} onClick={() => void download(format, type)}>
          {label}
        </button>
      ))}
    </>
  );
}

/** Rejects if the response breaks off. */
async function partsOf(response: Response, onRead: (bytes: number) => void): Promise<Blob[]> {
  const parts: Blob[] = [];
  const reader = response.body?.getReader();
  let bytes = 0;
  for (let chunk = await reader?.read(); chunk?.value; chunk = await reader?.read()) {
    // Browsers may move the content of a Blob out of memory.
    parts.push(new Blob([chunk.value]));
    bytes += chunk.value.length;
    onRead(bytes);
  }
  return parts;
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
