/** The targets of a selector: how many sensors match, a sample, and how many each clause excludes. */
import { useState } from 'preact/hooks';
import type { Preview } from '../api/types.ts';
import { count, plural, shown } from '../format.ts';
import { StateDot } from '../ui/progress.tsx';
import { SelectorFault } from '../ui/selector-fault.tsx';
import { Explain } from './explain.tsx';
import type { Targets } from './use-targets.ts';

export function TargetsCard({ oid, targets }: { oid: string; targets: Targets }) {
  const [sid, setSid] = useState<string | null>(null);
  const { asked, last: preview, error } = targets;
  return (
    <section
      class="card targets"
      aria-label="Targets"
      aria-busy={targets.current === null && !targets.isFailed && asked !== ''}
    >
      <h2>Targets</h2>
      {asked === '' ? (
        <p class="hint">
          No sensors chosen. Enter a selector, or <code>*</code> for every sensor of the org.
        </p>
      ) : null}
      {error === null ? null : <SelectorFault error={error} selector={asked} />}
      {preview ? (
        <>
          <p class="big" role="status">
            {plural(preview.total_sensors, 'sensor')}
            <small>
              {count(preview.online_sensors)} online, {count(preview.total_sensors - preview.online_sensors)} offline
            </small>
          </p>
          <Sample preview={preview} onSid={setSid} />
          <Excluded preview={preview} />
          <Explain oid={oid} selector={asked} sid={sid} onSid={setSid} />
        </>
      ) : null}
    </section>
  );
}

function Sample({ preview, onSid }: { preview: Preview; onSid(sid: string): void }) {
  if (preview.sensors.length === 0) return <p>No sensor matches yet.</p>;
  return (
    <ul class="sample">
      {preview.sensors.map((sensor) => (
        <li key={sensor.sid}>
          <button type="button" class="link" onClick={() => onSid(sensor.sid)}>
            <bdi>{shown(sensor.hostname || sensor.sid)}</bdi>
          </button>
          <span class="sub">{sensor.plat}</span>
          <StateDot state={sensor.online ? 'online' : 'offline'} />
        </li>
      ))}
    </ul>
  );
}

function Excluded({ preview }: { preview: Preview }) {
  if (preview.excluded_by.length === 0) return null;
  return (
    <>
      <h3>Excluded by clause</h3>
      <ul class="excluded">
        {preview.excluded_by.map(({ clause, sensors }) => (
          <li key={clause}>
            <code>{shown(clause)}</code> <b>{count(sensors)}</b>
          </li>
        ))}
      </ul>
    </>
  );
}
