/** The sensors of the org that a selector selects: facts, online or last seen, tags. */
import { useEffect, useState } from 'preact/hooks';
import { platformName } from '../../model/platforms.ts';
import { call } from '../api/client.ts';
import type { Presence, SensorInfo, SensorPage } from '../api/types.ts';
import { count } from '../format.ts';
import { go, place } from '../router.ts';
import { current } from '../session.ts';
import { sentenceOf } from '../ui/async.ts';
import { Ago, Empty, Fault, Head, StateDot } from '../ui/bits.tsx';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';

const PAGE = 200;
const ROW_PX = 48;

type Shown = SensorInfo & { online: boolean };

async function readPage(oid: string, selector: string, onlineOnly: boolean, place: string | undefined) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (selector) query.set('selector', selector);
  if (onlineOnly) query.set('is_online_only', 'true');
  if (place) query.set('continuation_token', place);
  const page = await call<SensorPage>(`/v1/sensors/${oid}?${query}`);
  const form = new URLSearchParams(page.sensors.map(({ sid }) => ['sids', sid]));
  const online =
    page.sensors.length === 0 ? {} : await call<Presence>(`/v1/online/${oid}`, { method: 'POST', body: form });
  return {
    sensors: page.sensors.map((sensor): Shown => ({ ...sensor, online: online[sensor.sid] === true })),
    next: page.continuation_token,
  };
}

/** Times of the public API are text in UTC. */
export const timeOf = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);

export function SensorsPage() {
  const { oid } = current();
  const asked = place.value.query.get('selector') ?? '';
  const onlineOnly = place.value.query.get('online') === 'true';
  const [text, setText] = useState(asked);
  const [rows, setRows] = useState<readonly Shown[]>([]);
  const [next, setNext] = useState<string | undefined>();
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);

  useEffect(() => {
    let isCurrent = true;
    setBusy(true);
    readPage(oid, asked, onlineOnly, undefined)
      .then((page) => {
        if (!isCurrent) return;
        setRows(page.sensors);
        setNext(page.next);
        setFault(null);
      })
      .catch((error) => isCurrent && setFault(sentenceOf(error)))
      .finally(() => isCurrent && setBusy(false));
    return () => {
      isCurrent = false;
    };
  }, [oid, asked, onlineOnly]);

  const more = async () => {
    if (busy || next === undefined) return;
    setBusy(true);
    try {
      const page = await readPage(oid, asked, onlineOnly, next);
      setRows((was) => [...was, ...page.sensors]);
      setNext(page.next);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    setBusy(false);
  };
  const search = (selector: string, online: boolean) => {
    const query = new URLSearchParams({ ...(selector ? { selector } : {}), ...(online ? { online: 'true' } : {}) });
    go(`/sensors?${query}`);
  };
  return (
    <>
      <Head title="Sensors">
        <a class="button" href={`#/new?${new URLSearchParams({ selector: asked })}`}>
          Task these
        </a>
      </Head>
      <form
        class="toolbar"
        onSubmit={(event) => {
          event.preventDefault();
          search(text.trim(), onlineOnly);
        }}
      >
        <input
          type="search"
          class="mono"
          data-search
          spellcheck={false}
          aria-label="Selector"
          placeholder={'plat == windows and "production" in tags'}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={onlineOnly}
            onChange={({ currentTarget }) => search(text.trim(), currentTarget.checked)}
          />
          Online only
        </label>
        <button type="submit">Search</button>
        <span class="total" role="status">
          {count(rows.length)}
          {next ? '+' : ''}
        </span>
      </form>
      <Fault text={fault} />
      {rows.length === 0 && !busy && !fault ? (
        <Empty title="No sensor matches" />
      ) : (
        <VirtualTable
          rows={rows}
          keyOf={(row) => row.sid}
          rowHeight={ROW_PX}
          label="Sensors"
          onEnd={() => void more()}
          head={
            <>
              <HeadCell class="w-host">Hostname</HeadCell>
              <HeadCell class="w-state">Now</HeadCell>
              <HeadCell class="w-by wide-only">Platform</HeadCell>
              <HeadCell class="w-by wide-only">Address</HeadCell>
              <HeadCell class="w-age">Last seen</HeadCell>
              <HeadCell class="grow wide-only">Tags</HeadCell>
            </>
          }
        >
          {(row) => (
            <>
              <Cell class="w-host ellipsis">
                <a href={`#/sensors/${encodeURIComponent(row.sid)}`}>{row.hostname || row.sid}</a>
              </Cell>
              <Cell class="w-state">
                <StateDot state={row.online ? 'online' : 'offline'} />
              </Cell>
              <Cell class="w-by wide-only">{platformName(row.plat)}</Cell>
              <Cell class="w-by wide-only mono">{row.int_ip}</Cell>
              <Cell class="w-age">{row.alive ? <Ago at={timeOf(row.alive)} /> : '–'}</Cell>
              <Cell class="grow wide-only ellipsis">
                {row.tags.map((tag) => (
                  <span class="tag" key={tag}>
                    {tag}
                  </span>
                ))}
              </Cell>
            </>
          )}
        </VirtualTable>
      )}
    </>
  );
}
