/** The responses of one sensor to a task, the oldest first. */
import { call } from '../api/client.ts';
import type { Results, SensorResponse } from '../api/types.ts';
import { count, plural, size } from '../format.ts';
import { useLoaded } from '../ui/async.ts';
import { Ago, Fault } from '../ui/bits.tsx';
import { CopyBox } from '../ui/copy.tsx';

type Props = { oid: string; taskId: string; sid: string; received: number };

export const resultsPath = (oid: string, taskId: string, query: Record<string, string>): string =>
  `/v1/orgs/${oid}/tasks/${encodeURIComponent(taskId)}/results?${new URLSearchParams(query)}`;

/** `received`: the number of responses. When it changes, they are read again. */
export function Responses({ oid, taskId, sid, received }: Props) {
  const { value, fault, again } = useLoaded(
    async (signal) => {
      const { sensors } = await call<Results>(resultsPath(oid, taskId, { sid }), { signal });
      return sensors[0] ?? null;
    },
    [taskId, sid, received],
  );
  const responses = value?.responses ?? [];
  const left = (value?.response_count ?? 0) - responses.length;
  return (
    <section aria-label="Responses" class="responses">
      <h3>Responses</h3>
      <Fault text={fault} again={again} />
      {value && responses.length === 0 ? <p class="sub">No responses yet.</p> : null}
      {responses.map((response, i) => (
        <ResponseBox key={response.event_id} response={response} open={i === responses.length - 1} />
      ))}
      {left > 0 ? <p class="sub">{plural(left, 'more response')} can be exported as JSON Lines.</p> : null}
    </section>
  );
}

function ResponseBox({ response, open }: { response: SensorResponse; open: boolean }) {
  const { event_type, at, bytes } = response;
  return (
    <details class="response" open={open}>
      <summary>
        <b class="mono">{event_type}</b>
        <span class="sub">
          {size(bytes)}, <Ago at={at} />
        </span>
      </summary>
      <ResponseBody response={response} />
    </details>
  );
}

function ResponseBody({ response: { body, event, routing } }: { response: SensorResponse }) {
  if (body === 'gone') return <p class="sub">The body is no longer stored.</p>;
  if (body === 'too_large') return <p class="sub">The body is larger than 1 MiB and is not shown.</p>;
  if (body === 'too_deep') return <p class="sub">The body is nested more than 64 levels deep and is not shown.</p>;
  const fields = Object.keys(event ?? {}).length;
  return (
    <>
      <CopyBox
        label={fields === 0 ? 'No fields' : plural(fields, 'field')}
        text={JSON.stringify(event, undefined, 2)}
      />
      <details class="routing">
        <summary>Routing ({count(Object.keys(routing ?? {}).length)} fields)</summary>
        <CopyBox label="Routing" text={JSON.stringify(routing, undefined, 2)} />
      </details>
    </>
  );
}
