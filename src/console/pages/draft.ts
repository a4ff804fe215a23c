/** A task as it is being written, and the same request by other means. Pure. */
export type Draft = { command: string; selector: string; context: string; ttl: string; unit: 'm' | 'h' | 'd' };

export const TTL_UNITS: readonly { unit: Draft['unit']; title: string; seconds: number }[] = [
  { unit: 'm', title: 'minutes', seconds: 60 },
  { unit: 'h', title: 'hours', seconds: 3_600 },
  { unit: 'd', title: 'days', seconds: 86_400 },
];

/** Seconds; NaN where the text is no whole number. */
export function ttlSeconds({ ttl, unit }: Draft): number {
  const seconds = TTL_UNITS.find((entry) => entry.unit === unit)?.seconds ?? 1;
  return /^\d{1,9}$/.test(ttl.trim()) ? Number(ttl) * seconds : Number.NaN;
}

/** Quoted for a POSIX shell. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export function equivalents(oid: string, draft: Draft, origin: string): { label: string; text: string }[] {
  const ttl = ttlSeconds(draft);
  const seconds = Number.isFinite(ttl) ? ttl : 604_800;
  const selector = draft.selector.trim() || '*';
  const context = draft.context ? { context: draft.context } : {};
  const data = JSON.stringify({ task: draft.command, selector, ...context, ttl: seconds });
  const record = {
    action: 'TASK',
    oid,
    task_id: 'a UUID, also the key of the record',
    task: draft.command,
    selector,
    context: draft.context || null,
    ttl: seconds,
    issued_at: 'now, Unix ms',
    issued_by: 'your name',
    untask_selector: null,
    options: null,
  };
  const command = [
    `reliable-tasking task ${shellQuoted(draft.command)} --selector ${shellQuoted(selector)}`,
    ...(draft.context ? [`--context ${shellQuoted(draft.context)}`] : []),
    `--ttl ${seconds}s`,
  ];
  return [
    {
      label: 'curl',
      text: [
        `curl -X POST ${origin}/v1/extension/request/ext-reliable-tasking \\`,
        '  -H "Authorization: Bearer $TOKEN" \\',
        `  --data-urlencode oid=${oid} -d action=task \\`,
        `  --data-urlencode data=${shellQuoted(data)}`,
      ].join('\n'),
    },
    { label: 'Command line', text: command.join(' ') },
    { label: 'Kafka record (topic task-commands, Avro TaskCommand)', text: JSON.stringify(record, null, 2) },
  ];
}
