/** The detection and response rules of the org. */
import type { HiveRecord } from '../api/types.ts';
import { shown } from '../format.ts';
import { current } from '../session.ts';
import { useLoaded } from '../ui/async.ts';
import { Empty, Fault, Head } from '../ui/bits.tsx';
import { StateDot } from '../ui/progress.tsx';
import { NewRulePage } from './new-rule.tsx';
import { RulePage } from './rule.tsx';
import { readRules } from './rule-calls.ts';

/** The actions of the rule, in order. Records of a hive can have any data. */
const actionsOf = ({ data: { respond } }: HiveRecord): string[] =>
  Array.isArray(respond) ? respond.map((one: { action?: unknown } | null) => String(one?.action ?? '?')) : [];

export function RulesPage({ hive, name }: { hive: string | undefined; name: string | undefined }) {
  if (hive === 'new') return <NewRulePage />;
  return hive && name ? <RulePage hive={hive} name={name} /> : <AllRules />;
}

function AllRules() {
  const { oid } = current();
  const { value, fault, again } = useLoaded((stopped) => readRules(oid, stopped), [oid]);
  return (
    <>
      <Head title="Rules">
        <a class="button primary" href="#/rules/new">
          New rule
        </a>
      </Head>
      <Fault text={fault} again={again} />
      {value === null && fault === null ? <p class="loading">Loading …</p> : null}
      {value?.length === 0 ? (
        <Empty title="No rules yet">
          <p>
            A rule detects something in a sensor event and responds, for example with a report or a task. Write one
            here, or store a file with <code>reliable-tasking rules set NAME --file RULE.yaml</code>.
          </p>
        </Empty>
      ) : null}
      <ul class="cards">
        {value?.map(({ hive: where, name: title, record }) => (
          <li class="card" key={`${where}/${title}`}>
            <h2>
              <a href={`#/rules/${where}/${encodeURIComponent(title)}`}>
                <bdi>{shown(title)}</bdi>
              </a>
            </h2>
            <p class="row">
              <StateDot state={record.usr_mtd.enabled ? 'enabled' : 'disabled'} />
              <span class="sub">{where}</span>
              <span class="sub">{actionsOf(record).join(', ')}</span>
            </p>
            {record.sys_mtd.last_error ? <p class="fault">{record.sys_mtd.last_error}</p> : null}
          </li>
        ))}
      </ul>
    </>
  );
}
