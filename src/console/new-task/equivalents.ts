/** The request of a draft in other forms: curl, a CLI command and a Kafka record. Pure. */
import { type Draft, targetOf, ttlSeconds } from './draft.ts';

/** Quotes a text for a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export type ApiAccess = { oid: string; origin: string; uid: string | null };

/** The fields that only the Kafka record has. `id` is the task id. */
export type Issue = { id: string; issuedAtMs: number };

/** The requests for a complete draft, ready to paste. They read the API key from the variable RT_API_KEY. */
export function equivalents(access: ApiAccess, draft: Draft, issue: Issue): { label: string; text: string }[] {
  return [
    { label: 'curl (API key in RT_API_KEY)', text: curl(access, draft) },
    { label: 'CLI command (API key in RT_API_KEY)', text: commandLine(access, draft) },
    {
      label: 'Kafka record: topic task-commands, key task_id, value Avro TaskCommand (docs/producing.md)',
      text: record(access, draft, issue),
    },
  ];
}

function curl({ oid, origin, uid }: ApiAccess, draft: Draft): string {
  const context = draft.context ? { context: draft.context } : {};
  const data = { task: draft.command, selector: targetOf(draft), ...context, ttl: ttlSeconds(draft) };
  const user = uid ? ` --data-urlencode ${shellQuoted(`uid=${uid}`)}` : '';
  return [
    `TOKEN=$(curl -s ${origin}/ --data-urlencode oid=${oid}${user} --data-urlencode "secret=$RT_API_KEY" \\`,
    `  | sed 's/.*"jwt":"\\([^"]*\\)".*/\\1/')`,
    `curl -s ${origin}/v1/extension/request/ext-reliable-tasking -H "Authorization: Bearer $TOKEN" \\`,
    `  --data-urlencode oid=${oid} --data-urlencode action=task \\`,
    `  --data-urlencode ${shellQuoted(`data=${JSON.stringify(data)}`)}`,
  ].join('\n');
}

function commandLine({ oid, origin, uid }: ApiAccess, draft: Draft): string {
  const options = [
    `--selector ${shellQuoted(targetOf(draft))}`,
    ...(draft.context ? [`--context ${shellQuoted(draft.context)}`] : []),
    `--ttl ${ttlSeconds(draft)}s`,
  ];
  return [
    `export RT_URL=${origin} RT_OID=${oid}${uid ? ` RT_UID=${shellQuoted(uid)}` : ''}`,
    `reliable-tasking task ${shellQuoted(draft.command)} ${options.join(' ')}`,
  ].join('\n');
}

function record({ oid }: ApiAccess, draft: Draft, { id, issuedAtMs }: Issue): string {
  const value = {
    action: 'TASK',
    oid,
    task_id: id,
    task: draft.command,
    selector: targetOf(draft),
    context: draft.context || null,
    ttl: ttlSeconds(draft),
    issued_at: issuedAtMs,
    issued_by: 'console',
    untask_selector: null,
    options: null,
  };
  return JSON.stringify(value, null, 2);
}
