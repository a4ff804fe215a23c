/** The form for a new task. It shows the targets of the selector while the user types, and the same request as curl, as a CLI
 *  command and as a Kafka record. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { span, when } from '../format.ts';
import { route } from '../router.ts';
import { current } from '../session.ts';
import { Fault, Head } from '../ui/bits.tsx';
import { now } from '../ui/clock.ts';
import { CopyBox } from '../ui/copy.tsx';
import { randomUuid } from '../uuid.ts';
import { KNOWN_COMMANDS } from './commands.ts';
import { ConfirmQueue } from './confirm-queue.tsx';
import { type Draft, hindrance, queueLabel, TTL_RULE, TTL_UNITS, targetOf, ttlSeconds } from './draft.ts';
import { equivalents } from './equivalents.ts';
import { TargetsCard } from './targets.tsx';
import { type Queueing, useQueueing } from './use-queueing.ts';
import { type Targets, useTargets } from './use-targets.ts';

const ISSUED_EACH_MS = 10_000;

export function NewTaskPage() {
  const { oid } = current();
  const [draft, setDraft] = useState<Draft>({
    command: route.value.query.get('command') ?? '',
    selector: route.value.query.get('selector') ?? '',
    context: '',
    ttl: '7',
    unit: 'd',
  });
  // One idempotency key for each draft: a second click, or a repeat after a lost response, queues no second task.
  const id = useMemo(randomUuid, [oid, ...Object.values(draft)]);
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const seconds = ttlSeconds(draft);
  const targets = useTargets(oid, targetOf(draft));
  const queueing = useQueueing(oid, draft, id, targets);
  const selector = useRef<HTMLTextAreaElement>(null);
  return (
    <>
      <Head title="New task" />
      <div class="columns">
        {/* The form has no submit button, so Enter in a field queues nothing. */}
        <form class="card form" aria-label="Task" onSubmit={(event) => event.preventDefault()}>
          <label>
            Command line
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
              onKeyDown={(event) => {
                if (event.key === 'Enter' && !event.isComposing) selector.current?.focus();
              }}
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
              ref={selector}
              id="selector"
              class="mono"
              required
              rows={3}
              spellcheck={false}
              value={draft.selector}
              placeholder={'plat == windows and "production" in tags'}
              aria-describedby="selector-hint"
              onInput={({ currentTarget }) => set({ selector: currentTarget.value })}
            />
            <span class="hint" id="selector-hint">
              A selector. <code>*</code> matches every sensor of the org.
            </span>
          </div>
          <label>
            <span>
              Context <span class="optional">optional</span>
            </span>
            <input
              class="mono"
              value={draft.context}
              placeholder="investigation_id of each response"
              onInput={({ currentTarget }) => set({ context: currentTarget.value })}
            />
          </label>
          <TimeToLive draft={draft} seconds={seconds} set={set} />
          <Fault text={queueing.asked ? null : queueing.fault} />
          <Queue draft={draft} targets={targets} queueing={queueing} />
        </form>
        <TargetsCard oid={oid} targets={targets} />
      </div>
      <Equivalents draft={draft} seconds={seconds} id={id} />
      {queueing.asked ? <ConfirmQueue draft={draft} asked={queueing.asked} queueing={queueing} /> : null}
    </>
  );
}

type QueueProps = { draft: Draft; targets: Targets; queueing: Queueing };

/** The button shows how many sensors match the current selector. If something is missing, it is disabled and says what. */
function Queue({ draft, targets, queueing }: QueueProps) {
  const sensors = targets.current?.total_sensors ?? (targets.isFailed ? 'failed' : 'counting');
  const why = hindrance(draft, sensors);
  const { doing, run } = queueing;
  if (why !== null || typeof sensors !== 'number') {
    return (
      <div class="queue">
        <button type="button" class="primary" disabled aria-describedby="queue-why">
          Queue the task
        </button>
        <span class="hint" id="queue-why">
          {why}
        </span>
      </div>
    );
  }
  return (
    <div class="queue">
      <button type="button" class="primary" aria-disabled={doing !== null} onClick={() => void run(sensors, false)}>
        {doing === null ? queueLabel(sensors) : doing === 'counting' ? 'Counting …' : 'Queueing …'}
      </button>
      {sensors === 0 ? <span class="hint">Sensors that match later get it, until it expires.</span> : null}
    </div>
  );
}

type TtlProps = { draft: Draft; seconds: number; set(part: Partial<Draft>): void };

function TimeToLive({ draft, seconds, set }: TtlProps) {
  return (
    <fieldset class="ttl">
      <legend>Time to live</legend>
      <input
        type="number"
        min="1"
        step="1"
        aria-label="Time to live"
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
  // The record has a time. If it changed each second, the text could not be selected.
  const issuedAtMs = Math.floor(now.value / ISSUED_EACH_MS) * ISSUED_EACH_MS;
  const isWhole = draft.command !== '' && targetOf(draft) !== '' && Number.isFinite(seconds);
  const access = { oid, origin: location.origin, uid: credentials.uid };
  return (
    <section class="card" aria-label="Use via API">
      <h2>Use via API</h2>
      {isWhole ? (
        equivalents(access, draft, { id, issuedAtMs }).map(({ label, text }) => (
          <CopyBox key={label} label={label} text={text} />
        ))
      ) : (
        <p class="hint">
          Enter a command line and choose the sensors to see the request as curl, as a CLI command and as a Kafka
          record.
        </p>
      )}
    </section>
  );
}
