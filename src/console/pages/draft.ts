/** A task as it is being written, and the same request by other means. Pure. */
export type Draft = { command: string; selector: string; context: string; ttl: string; unit: 'm' | 'h' | 'd' };

export const TTL_UNITS: readonly { unit: Draft['unit']; title: string; seconds: number }[] = [
  { unit: 'm', title: 'minutes', seconds: 60 },
  { unit: 'h', title: 'hours', seconds: 3_600 },
  { unit: 'd', title: 'days', seconds: 86_400 },
];

/** More than any server can be set to. */
const TTL_MAX_SECONDS = 315_360_000;
export const TTL_RULE = 'a whole number from 1, ten years at most';

/** Seconds; NaN where the text is not by the rule. */
export function ttlSeconds({ ttl, unit }: Draft): number {
  const seconds = Number(ttl) * (TTL_UNITS.find((entry) => entry.unit === unit)?.seconds ?? 1);
  return /^\d{1,9}$/.test(ttl.trim()) && seconds > 0 && seconds <= TTL_MAX_SECONDS ? seconds : Number.NaN;
}

/** Quoted for a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export type Where = { oid: string; origin: string; uid: string | null };

/** What a record says that a request does not. `id` names the task. */
export type Issue = { id: string; issuedAtMs: number };

/** Each as it can be pasted. The API key stays where it is: in the variable RT_API_KEY of whoever pastes. */
export function equivalents(where: Where, draft: Draft, issue: Issue): { label: string; text: string }[] {
  return [
    { label: 'curl, with your key in RT_API_KEY', text: curl(where, draft) },
    { label: 'Command line, with your key in RT_API_KEY', text: commandLine(where, draft) },
    {
      label: 'Kafka record: topic task-commands, key task_id, value Avro TaskCommand (docs/producing.md)',
      text: record(where, draft, issue),
    },
  ];
}

const selectorOf = (draft: Draft): string => draft.selector.trim() || '*';

function curl({ oid, origin, uid }: Where, draft: Draft): string {
  const context = draft.context ? { context: draft.context } : {};
  const data = { task: draft.command, selector: selectorOf(draft), ...context, ttl: ttlSeconds(draft) };
  const user = uid ? ` --data-urlencode ${shellQuoted(`uid=${uid}`)}` : '';
  return [
    `TOKEN=$(curl -s ${origin}/ --data-urlencode oid=${oid}${user} --data-urlencode "secret=$RT_API_KEY" \\`,
    `  | sed 's/.*"jwt":"\\([^"]*\\)".*/\\1/')`,
    `curl -s ${origin}/v1/extension/request/ext-reliable-tasking -H "Authorization: Bearer $TOKEN" \\`,
    `  --data-urlencode oid=${oid} --data-urlencode action=task \\`,
    `  --data-urlencode ${shellQuoted(`data=${JSON.stringify(data)}`)}`,
  ].join('\n');
}

function commandLine({ oid, origin, uid }: Where, draft: Draft): string {
  const options = [
    `--selector ${shellQuoted(selectorOf(draft))}`,
    ...(draft.context ? [`--context ${shellQuoted(draft.context)}`] : []),
    `--ttl ${ttlSeconds(draft)}s`,
  ];
  return [
    `export RT_URL=${origin} RT_OID=${oid}${uid ? ` RT_UID=${shellQuoted(uid)}` : ''}`,
    `reliable-tasking task ${shellQuoted(draft.command)} ${options.join(' ')}`,
  ].join('\n');
}

function record({ oid }: Where, draft: Draft, { id, issuedAtMs }: Issue): string {
  const value = {
    ...{ action: 'TASK', oid, task_id: id, task: draft.command, selector: selectorOf(draft) },
    ...{ context: draft.context || null, ttl: ttlSeconds(draft), issued_at: issuedAtMs, issued_by: 'console' },
    ...{ untask_selector: null, options: null },
  };
  return JSON.stringify(value, null, 2);
}
