/** The sensors that a selector matches: facts, presence, tags. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { platformName } from '../../model/platforms.ts';
import { ApiFault, action, call } from '../api/client.ts';
import type { Presence, Preview, SensorInfo, SensorPage } from '../api/types.ts';
import { plural, shown } from '../format.ts';
import { go, route } from '../router.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { Ago, Empty, Fault, Head } from '../ui/bits.tsx';
import { StateDot } from '../ui/progress.tsx';
import { SelectorFault } from '../ui/selector-fault.tsx';
import { Cell, HeadCell, VirtualTable } from '../ui/virtual.tsx';

const PAGE = 200;
const ROW_PX = 48;
/** More tags do not fit into a row. */
const TAGS_SHOWN = 12;
const TAG_CHARACTERS = 40;

type Shown = SensorInfo & { online: boolean };

type Filter = { oid: string; selector: string; onlineOnly: boolean };

async function readPage({ oid, selector, onlineOnly }: Filter, after?: string, signal?: AbortSignal) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (selector) query.set('selector', selector);
  if (onlineOnly) query.set('is_online_only', 'true');
  if (after) query.set('continuation_token', after);
  const init = signal ? { signal } : {};
  const page = await call<SensorPage>(`/v1/sensors/${oid}?${query}`, init);
  const body = new URLSearchParams(page.sensors.map(({ sid }) => ['sids', sid]));
  const online =
    page.sensors.length === 0 ? {} : await call<Presence>(`/v1/online/${oid}`, { ...init, method: 'POST', body });
  return {
    sensors: page.sensors.map((sensor): Shown => ({ ...sensor, online: online[sensor.sid] === true })),
    next: page.continuation_token,
  };
}

/** The sensors, page by page. When the first page is read again, the further pages are dropped. */
function useSensors(filter: Filter) {
  const { oid, selector, onlineOnly } = filter;
  const first = useLoaded((stopped) => readPage(filter, undefined, stopped), [oid, selector, onlineOnly]);
  const [rest, setRest] = useState<{ of: unknown; sensors: readonly Shown[]; next: string | undefined } | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const isReading = useRef(false);
  const further = rest?.of === first.value ? rest : null;
  const next = further ? further.next : first.value?.next;
  const more = async () => {
    if (next === undefined || isReading.current) return;
    isReading.current = true;
    try {
      const page = await readPage(filter, next);
      setRest({ of: first.value, sensors: [...(further?.sensors ?? []), ...page.sensors], next: page.next });
      setFault(null);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    isReading.current = false;
  };
  const rows = [...(first.value?.sensors ?? []), ...(further?.sensors ?? [])];
  return { ...first, fault, rows, more };
}

/** Times of the public API are text in UTC. */
export const timeOf = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);

export function SensorsPage() {
  const { oid } = current();
  const asked = route.value.query.get('selector') ?? '';
  const onlineOnly = route.value.query.get('online') === 'true';
  const [text, setText] = useState(asked);
  // The Back button changes the route too.
  useEffect(() => setText(asked), [asked]);
  const { rows, value, error, fault, again, more } = useSensors({ oid, selector: asked, onlineOnly });
  const total = useLoaded(
    (stopped) => action<Preview>(oid, 'preview', { selector: asked || '*', limit: 1 }, stopped),
    [oid, asked],
  ).value;
  const search = (selector: string, online: boolean) => {
    const query = new URLSearchParams({ ...(selector ? { selector } : {}), ...(online ? { online: 'true' } : {}) });
    go(`/sensors?${query}`);
  };
  return (
    <>
      <Head title="Sensors">
        <a class="button" href={`#/new?${new URLSearchParams({ selector: asked || '*' })}`}>
          Task these sensors
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
          {total ? plural(onlineOnly ? total.online_sensors : total.total_sensors, 'sensor') : ''}
        </span>
      </form>
      {error instanceof ApiFault && error.status === 400 ? (
        <SelectorFault error={error} selector={asked} />
      ) : (
        <Fault text={error === null ? fault : sentenceOf(error)} again={again} />
      )}
      {rows.length === 0 ? (
        <NoSensors isRead={value !== null} isFailed={error !== null} />
      ) : (
        <VirtualTable
          rows={rows}
          keyOf={(row) => row.sid}
          rowHeight={ROW_PX}
          label="Sensors"
          of={`${asked} ${onlineOnly}`}
          onEnd={() => void more()}
          head={
            <>
              <HeadCell class="w-host">Hostname</HeadCell>
              <HeadCell class="w-state">Presence</HeadCell>
              <HeadCell class="w-by wide-only">Platform</HeadCell>
              <HeadCell class="w-by wide-only">Address</HeadCell>
              <HeadCell class="w-age">Last seen</HeadCell>
              <HeadCell class="grow mid-only">Tags</HeadCell>
            </>
          }
        >
          {(row) => (
            <>
              <Cell class="w-host ellipsis">
                <a href={`#/sensors/${encodeURIComponent(row.sid)}`} title={row.sid}>
                  <bdi>{shown(row.hostname || row.sid)}</bdi>
                </a>
              </Cell>
              <Cell class="w-state">
                <StateDot state={row.online ? 'online' : 'offline'} />
              </Cell>
              <Cell class="w-by wide-only">{platformName(row.plat)}</Cell>
              <Cell class="w-by wide-only mono">{row.int_ip}</Cell>
              <Cell class="w-age">{row.alive ? <Ago at={timeOf(row.alive)} /> : '–'}</Cell>
              <Cell class="grow mid-only ellipsis">
                {row.tags.slice(0, TAGS_SHOWN).map((tag) => (
                  <bdi class="tag" key={tag}>
                    {shown(tag, TAG_CHARACTERS)}
                  </bdi>
                ))}
              </Cell>
            </>
          )}
        </VirtualTable>
      )}
    </>
  );
}

function NoSensors({ isRead, isFailed }: { isRead: boolean; isFailed: boolean }) {
  if (isFailed) return null;
  return isRead ? <Empty title="No sensor matches" /> : <p class="loading">Loading …</p>;
}
