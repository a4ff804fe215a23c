/** One sensor: its facts and tags, its pending tasks, its task history, and actions. */
import { useState } from 'preact/hooks';
import { platformName } from '../../model/platforms.ts';
import { action, call } from '../api/client.ts';
import type { Sensor, SensorInfo, TaskPage } from '../api/types.ts';
import { shown } from '../format.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { Ago, Code, Fault, Head, Pending } from '../ui/bits.tsx';
import { StateDot } from '../ui/progress.tsx';
import { TimeLeft } from '../ui/time-left.tsx';
import { SensorActions } from './sensor-actions.tsx';
import { SensorHistory, useSensorEvents } from './sensor-history.tsx';
import { timeOf } from './sensors.tsx';

const selectorFor = (sid: string): string => `sid == "${sid}"`;

export function SensorPage({ sid }: { sid: string }) {
  const { oid } = current();
  const path = `/v1/${encodeURIComponent(sid)}`;
  const sensor = useLoaded((signal) => call<Sensor>(path, { signal }), [oid, sid]);
  if (!sensor.value) return <Pending title="Sensor" fault={sensor.fault} again={sensor.again} />;
  const { info, is_online: online } = sensor.value;
  return (
    <>
      <Head title={info.hostname || sid}>
        <a class="button primary" href={`#/new?${new URLSearchParams({ selector: selectorFor(sid) })}`}>
          Task this sensor
        </a>
      </Head>
      <Fault text={sensor.fault} again={sensor.again} />
      <dl class="facts">
        <Fact name="Presence">
          <StateDot state={online ? 'online' : 'offline'} />
        </Fact>
        <Fact name="Last seen">{info.alive ? <Ago at={timeOf(info.alive)} /> : 'never'}</Fact>
        <Fact name="Enrolled">{info.enroll ? <Ago at={timeOf(info.enroll)} /> : 'not known'}</Fact>
        <Fact name="Platform">{platformName(info.plat)}</Fact>
        <Fact name="Addresses">
          <span class="mono">{[info.int_ip, info.ext_ip].filter(Boolean).join(', ') || '–'}</span>
        </Fact>
        <Fact name="Network">{isolation(info)}</Fact>
        <Fact name="Sensor id">
          <span class="mono">{sid}</span>
        </Fact>
      </dl>
      <SensorActions info={info} online={online} onChange={sensor.again} />
      <Tags path={path} tags={info.tags} onChange={sensor.again} />
      <PendingTasks oid={oid} sid={sid} />
      <SensorHistory sid={sid} />
    </>
  );
}

const isolation = ({ isolated, should_isolate }: SensorInfo): string => {
  if (isolated === should_isolate) return isolated ? 'isolated' : 'not isolated';
  return should_isolate ? 'isolation requested' : 'rejoin requested';
};

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Tags({ path, tags, onChange }: { path: string; tags: readonly string[]; onChange(): void }) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const change = async (method: 'POST' | 'DELETE', form: Record<string, string>) => {
    try {
      await call(`${path}/tags`, { method, body: new URLSearchParams(form) });
      setText('');
      setFault(null);
      onChange();
    } catch (error) {
      setFault(sentenceOf(error));
    }
  };
  return (
    <section class="card" aria-label="Tags">
      <h2>Tags</h2>
      <p class="tags">
        {tags.length === 0 ? <span class="sub">None yet.</span> : null}
        {tags.map((tag) => (
          <span class="tag" key={tag}>
            <bdi>{shown(tag)}</bdi>
            <button type="button" aria-label={`Remove tag ${tag}`} onClick={() => void change('DELETE', { tag })}>
              ✕
            </button>
          </span>
        ))}
      </p>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) void change('POST', { tags: text.trim() });
        }}
      >
        <input
          aria-label="New tag"
          placeholder="new tag"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="submit">Add</button>
      </form>
      <Fault text={fault} />
    </section>
  );
}

function PendingTasks({ oid, sid }: { oid: string; sid: string }) {
  const pending = useLoaded((stopped) => action<TaskPage>(oid, 'list', { sid, limit: 100 }, stopped), [oid, sid]);
  useSensorEvents(sid, pending.again);
  return (
    <section class="card" aria-label="Pending tasks">
      <h2>Pending tasks</h2>
      <Fault text={pending.fault} again={pending.again} />
      {pending.value?.tasks.length === 0 ? <p class="sub">None.</p> : null}
      <ul class="plain">
        {pending.value?.tasks.map((task) => (
          <li key={task.task_id}>
            <a class="command" href={`#/tasks/${encodeURIComponent(task.task_id)}`}>
              <Code text={task.task} />
            </a>
            <TimeLeft task={task} />
          </li>
        ))}
      </ul>
    </section>
  );
}
