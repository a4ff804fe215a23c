/** The detection and response rules of the org, and one of them as it is stored, to enable or disable. */
import { useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { HiveRecord } from '../api/types.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { Ago, CopyBox, Empty, Fault, Head, StateDot } from '../ui/bits.tsx';

type Listed = { hive: string; name: string; record: HiveRecord };

/** What it does, in the order of the rule; data of a hive can be anything. */
const actionsOf = ({ data: { respond } }: HiveRecord): string[] =>
  Array.isArray(respond) ? respond.map((one: { action?: unknown } | null) => String(one?.action ?? '?')) : [];

const HIVES = ['dr-general', 'dr-managed'] as const;

async function readAll(oid: string, signal: AbortSignal): Promise<Listed[]> {
  const lists = await Promise.all(
    HIVES.map((hive) => call<Record<string, HiveRecord>>(`/v1/hive/${hive}/${oid}`, { signal })),
  );
  return lists.flatMap((records, i) =>
    Object.entries(records).map(([name, record]) => ({ hive: HIVES[i] as string, name, record })),
  );
}

export function RulesPage({ hive, name }: { hive: string | undefined; name: string | undefined }) {
  const { oid } = current();
  const { value, fault, again } = useLoaded((stopped) => readAll(oid, stopped), [oid]);
  const chosen = value?.find((entry) => entry.hive === hive && entry.name === name);
  if (chosen) return <Rule {...chosen} again={again} />;
  return (
    <>
      <Head title="Rules" />
      <Fault text={fault} again={again} />
      {value?.length === 0 ? (
        <Empty title="No rules yet">
          <p>
            Rules act on what sensors answer. Put one by <code>reliable-tasking rules set NAME --file RULE.yaml</code>.
          </p>
        </Empty>
      ) : null}
      <ul class="cards">
        {value?.map(({ hive: where, name: title, record }) => (
          <li class="card" key={`${where}/${title}`}>
            <h2>
              <a href={`#/rules/${where}/${encodeURIComponent(title)}`}>{title}</a>
            </h2>
            <p class="row">
              <StateDot state={record.usr_mtd.enabled ? 'enabled' : 'disabled'} />
              <span class="sub">{where}</span>
              <span class="sub">{actionsOf(record).join(', ')}</span>
            </p>
            {record.sys_mtd.last_error ? <p class="fault">{record.sys_mtd.last_error}</p> : null}
          </li>
        ))}
      </ul>
    </>
  );
}

function Rule({ hive, name, record, again }: Listed & { again(): void }) {
  const { oid } = current();
  const [fault, setFault] = useState<string | null>(null);
  const { last_mod, last_author, last_error } = record.sys_mtd;
  const { enabled } = record.usr_mtd;
  const change = async () => {
    // Only the record that is shown: a change of somebody else in between is refused, and shown.
    const usr_mtd = JSON.stringify({ ...record.usr_mtd, enabled: !enabled });
    const body = new URLSearchParams({ usr_mtd, etag: record.sys_mtd.etag });
    try {
      await call(`/v1/hive/${hive}/${oid}/${encodeURIComponent(name)}/mtd`, { method: 'POST', body });
      setFault(null);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    again();
  };
  return (
    <>
      <Head title={name}>
        <button type="button" class={enabled ? '' : 'primary'} onClick={() => void change()}>
          {enabled ? 'Disable' : 'Enable'}
        </button>
        <a class="button" href="#/rules">
          All rules
        </a>
      </Head>
      <p class="row">
        <StateDot state={record.usr_mtd.enabled ? 'enabled' : 'disabled'} />
        <span class="sub">{hive}</span>
        {last_mod ? (
          <span class="sub">
            changed <Ago at={last_mod} /> {last_author ? `by ${last_author}` : ''}
          </span>
        ) : null}
      </p>
      <Fault text={fault} />
      {record.usr_mtd.comment ? <p>{record.usr_mtd.comment}</p> : null}
      {last_error ? <p class="fault">{last_error}</p> : null}
      <CopyBox label="Detect" text={JSON.stringify(record.data.detect, null, 2)} />
      <CopyBox label="Respond" text={JSON.stringify(record.data.respond, null, 2)} />
    </>
  );
}
