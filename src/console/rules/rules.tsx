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

/** What it does, in the order of the rule; data of a hive can be anything. */
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
            Rules act on what sensors answer: report it, send it on, task the sensor. Write one here, or put a file by{' '}
            <code>reliable-tasking rules set NAME --file RULE.yaml</code>.
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
