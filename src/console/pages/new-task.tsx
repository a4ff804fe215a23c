/** Writing a task: the selector says at once whom it reaches and why not the others; the same request can be copied as curl,
 *  as a command line and as a Kafka record. */
import { useMemo, useState } from 'preact/hooks';
import { action } from '../api/client.ts';
import type { Tasked } from '../api/types.ts';
import { KNOWN_COMMANDS } from '../commands.ts';
import { span, when } from '../format.ts';
import { go, place } from '../router.ts';
import { current } from '../session.ts';
import { sentenceOf } from '../ui/async.ts';
import { Fault, Head } from '../ui/bits.tsx';
import { now } from '../ui/clock.ts';
import { CopyBox } from '../ui/copy.tsx';
import { randomUuid } from '../uuid.ts';
import { type Draft, equivalents, TTL_RULE, TTL_UNITS, ttlSeconds } from './draft.ts';
import { Reach } from './reach.tsx';

const ISSUED_EACH_MS = 10_000;

export function NewTaskPage() {
  const { oid } = current();
  const [draft, setDraft] = useState<Draft>({
    command: place.value.query.get('command') ?? '',
    selector: place.value.query.get('selector') ?? '',
    context: '',
    ttl: '7',
    unit: 'd',
  });
  // One id for what is written: pressing twice, or again after a lost answer, is one task. Another text is another task.
  const id = useMemo(randomUuid, [oid, ...Object.values(draft)]);
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
        selector: draft.selector.trim() || '*',
        ...(draft.context ? { context: draft.context } : {}),
        ttl: seconds,
        idempotency_key: id,
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
              data-first
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
          <TimeToLive draft={draft} seconds={seconds} set={set} />
          <Fault text={fault} />
          <button type="submit" class="primary" disabled={busy || !Number.isFinite(seconds)}>
            {busy ? 'Queueing …' : 'Queue the task'}
          </button>
        </form>
        <Reach oid={oid} selector={draft.selector} />
      </div>
      <Equivalents draft={draft} seconds={seconds} id={id} />
    </>
  );
}

type TtlProps = { draft: Draft; seconds: number; set(part: Partial<Draft>): void };

function TimeToLive({ draft, seconds, set }: TtlProps) {
  return (
    <fieldset class="ttl">
      <legend>Keep trying for</legend>
      <input
        type="number"
        min="1"
        step="1"
        aria-label="How long"
        aria-invalid={!Number.isFinite(seconds)}
        aria-describedby="ttl-hint"
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
      <span class="hint" id="ttl-hint">
        {Number.isFinite(seconds) ? `${span(seconds * 1000)}: until ${when(now.value + seconds * 1000)}` : TTL_RULE}
      </span>
    </fieldset>
  );
}

function Equivalents({ draft, seconds, id }: { draft: Draft; seconds: number; id: string }) {
  const { oid, credentials } = current();
  // The record says when it was issued: not each second, or nobody could select it.
  const issuedAtMs = Math.floor(now.value / ISSUED_EACH_MS) * ISSUED_EACH_MS;
  const isWhole = draft.command !== '' && Number.isFinite(seconds);
  const place = { oid, origin: location.origin, uid: credentials.uid };
  return (
    <section class="card" aria-label="The same by other means">
      <h2>The same by other means</h2>
      {isWhole ? (
        equivalents(place, draft, { id, issuedAtMs }).map(({ label, text }) => (
          <CopyBox key={label} label={label} text={text} />
        ))
      ) : (
        <p class="hint">Write a command, and it stands here as curl, as a command line and as a Kafka record.</p>
      )}
    </section>
  );
}
