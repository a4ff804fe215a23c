/** Writing a task: the selector says at once whom it reaches and why not the others; the same request can be copied as curl,
 *  as a command line and as a Kafka record. */
import { useEffect, useState } from 'preact/hooks';
import { ApiFault, action } from '../api/client.ts';
import type { Explanation, Preview, Tasked } from '../api/types.ts';
import { KNOWN_COMMANDS } from '../commands.ts';
import { count, plural, span, when } from '../format.ts';
import { go, place } from '../router.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { CopyBox, Fault, Head, StateDot } from '../ui/bits.tsx';
import { now } from '../ui/clock.ts';
import { type Draft, equivalents, TTL_UNITS, ttlSeconds } from './draft.ts';

/** Longer than the pauses of somebody who types. */
const TYPING_MS = 300;
const SAMPLE = 8;

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function NewTaskPage() {
  const { oid } = current();
  const [draft, setDraft] = useState<Draft>({
    command: place.value.query.get('command') ?? '',
    selector: place.value.query.get('selector') ?? '',
    context: '',
    ttl: '7',
    unit: 'd',
  });
  // One key for this page: pressing twice, or again after a lost answer, is one task.
  const [key] = useState(() => crypto.randomUUID());
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const seconds = ttlSeconds(draft);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    try {
      const { task_id } = await action<Tasked>(oid, 'task', {
        task: draft.command,
        selector: draft.selector || '*',
        ...(draft.context ? { context: draft.context } : {}),
        ttl: seconds,
        idempotency_key: key,
      });
      go(`/tasks/${task_id}`);
    } catch (error) {
      setFault(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <>
      <Head title="New task" />
      <div class="columns">
        <form class="card form" onSubmit={submit}>
          <label>
            Command
            <input
              class="mono"
              required
              list="commands"
              spellcheck={false}
              autocomplete="off"
              value={draft.command}
              placeholder="os_version"
              onInput={({ currentTarget }) => set({ command: currentTarget.value })}
            />
            <datalist id="commands">
              {KNOWN_COMMANDS.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </label>
          <div class="field">
            <label for="selector">Sensors</label>
            <textarea
              id="selector"
              class="mono"
              rows={3}
              spellcheck={false}
              value={draft.selector}
              placeholder={'plat == windows and "production" in tags'}
              aria-describedby="selector-hint"
              onInput={({ currentTarget }) => set({ selector: currentTarget.value })}
            />
            <span class="hint" id="selector-hint">
              A selector; empty or <code>*</code> means every sensor of the org.
            </span>
          </div>
          <label>
            <span>
              Context <span class="optional">optional</span>
            </span>
            <input
              class="mono"
              value={draft.context}
              placeholder="comes back in investigation_id of every answer"
              onInput={({ currentTarget }) => set({ context: currentTarget.value })}
            />
          </label>
          <fieldset class="ttl">
            <legend>Keep trying for</legend>
            <input
              type="number"
              min="0"
              step="1"
              aria-label="How long"
              value={draft.ttl}
              onInput={({ currentTarget }) => set({ ttl: currentTarget.value })}
            />
            <select
              aria-label="Unit"
              value={draft.unit}
              onChange={({ currentTarget }) => set({ unit: currentTarget.value as Draft['unit'] })}
            >
              {TTL_UNITS.map(({ unit, title }) => (
                <option key={unit} value={unit}>
                  {title}
                </option>
              ))}
            </select>
            <span class="hint">
              {Number.isFinite(seconds)
                ? `${span(seconds * 1000)}: until ${when(now.value + seconds * 1000)}`
                : 'a whole number'}
            </span>
          </fieldset>
          <Fault text={fault} />
          <button type="submit" class="primary" disabled={busy || !Number.isFinite(seconds)}>
            {busy ? 'Queueing …' : 'Queue the task'}
          </button>
        </form>
        <Reach oid={oid} selector={draft.selector} />
      </div>
      <section class="card" aria-label="The same by other means">
        <h2>The same by other means</h2>
        {equivalents(oid, draft, location.origin).map(({ label, text }) => (
          <CopyBox key={label} label={label} text={text} />
        ))}
      </section>
    </>
  );
}

function Reach({ oid, selector }: { oid: string; selector: string }) {
  const settled = useSettled(selector.trim() || '*');
  const [sid, setSid] = useState<string | null>(null);
  const [column, setColumn] = useState<number | null>(null);
  const { value, fault } = useLoaded(
    async (stopped) => {
      try {
        const preview = await action<Preview>(oid, 'preview', { selector: settled, limit: SAMPLE }, stopped);
        setColumn(null);
        return preview;
      } catch (error) {
        setColumn(error instanceof ApiFault && typeof error.data.column === 'number' ? error.data.column : null);
        throw error;
      }
    },
    [oid, settled],
  );
  return (
    <section class="card reach" aria-label="Whom it reaches" aria-live="polite">
      <h2>Whom it reaches now</h2>
      {fault ? <SelectorFault text={fault} selector={settled} column={column} /> : null}
      {value && !fault ? (
        <>
          <p class="big">
            {plural(value.total_sensors, 'sensor')}
            <small>
              {count(value.online_sensors)} online now, {count(value.total_sensors - value.online_sensors)} when they
              connect
            </small>
          </p>
          {value.sensors.length > 0 ? (
            <ul class="sample">
              {value.sensors.map((sensor) => (
                <li key={sensor.sid}>
                  <button type="button" class="link" onClick={() => setSid(sensor.sid)}>
                    {sensor.hostname || sensor.sid}
                  </button>
                  <span class="sub">{sensor.plat}</span>
                  <StateDot state={sensor.online ? 'online' : 'offline'} />
                </li>
              ))}
            </ul>
          ) : (
            <p>No sensor matches yet. The task waits for those that will.</p>
          )}
          {value.excluded_by.length > 0 ? (
            <>
              <h3>What leaves sensors out</h3>
              <ul class="excluded">
                {value.excluded_by.map(({ clause, sensors }) => (
                  <li key={clause}>
                    <code>{clause}</code> <b>{count(sensors)}</b>
                  </li>
                ))}
              </ul>
            </>
          ) : null}
          <ExplainBox oid={oid} selector={settled} sid={sid} onSid={setSid} />
        </>
      ) : null}
    </section>
  );
}

/** The sentence, and an arrow below the place that it speaks of. */
function SelectorFault({ text, selector, column }: { text: string; selector: string; column: number | null }) {
  return (
    <div class="selector-fault" role="alert">
      {column === null || selector.includes('\n') ? null : (
        <pre aria-hidden="true">
          {selector}
          {'\n'}
          {`${' '.repeat(Math.max(0, column - 1))}▲`}
        </pre>
      )}
      <p>{text}</p>
    </div>
  );
}

type ExplainProps = { oid: string; selector: string; sid: string | null; onSid(sid: string | null): void };

function ExplainBox({ oid, selector, sid, onSid }: ExplainProps) {
  const [text, setText] = useState('');
  return (
    <div class="explain">
      <h3>Clause by clause</h3>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          onSid(text.trim() || null);
        }}
      >
        <input
          class="mono"
          aria-label="Sensor id to explain the selector for"
          placeholder="a sensor id, or choose one above"
          value={sid ?? text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            onSid(null);
          }}
        />
        <button type="submit">Explain</button>
      </form>
      {sid === null ? null : <Clauses oid={oid} selector={selector} sid={sid} />}
    </div>
  );
}

const VERDICTS = new Map<unknown, [string, string]>([
  [true, ['yes', 'matches']],
  [false, ['no', 'does not']],
  ['error', ['err', 'cannot be told']],
]);

function Clauses({ oid, selector, sid }: { oid: string; selector: string; sid: string }) {
  const { value, fault } = useLoaded(
    (stopped) => action<Explanation>(oid, 'explain', { selector, sid }, stopped),
    [oid, selector, sid],
  );
  if (fault) return <Fault text={fault} />;
  if (!value) return <p class="loading">Looking …</p>;
  return (
    <table class="clauses">
      <thead>
        <tr>
          <th scope="col">Clause</th>
          <th scope="col">This sensor has</th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        {value.clauses.map(({ clause, column, value: has, result }) => {
          const [kind, word] = VERDICTS.get(result) ?? ['err', String(result)];
          return (
            <tr key={`${column} ${clause}`}>
              <td>
                <code>{clause}</code>
              </td>
              <td>
                <code>{has === undefined || has === null ? '–' : JSON.stringify(has)}</code>
              </td>
              <td class={`verdict ${kind}`}>{word}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
