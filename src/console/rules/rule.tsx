/** One rule: whether it runs, its last error, and its editor. A change by someone else is shown before it can be overwritten. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiFault } from '../api/client.ts';
import { shown } from '../format.ts';
import { go } from '../router.ts';
import { current } from '../session.ts';
import { sentenceOf, useLoaded } from '../ui/async.ts';
import { Ago, Fault, Head, Pending } from '../ui/bits.tsx';
import { CopyBox } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { StateDot } from '../ui/progress.tsx';
import { deleteRule, readRule, storeMetadata, storeRule } from './rule-calls.ts';
import { RuleEditor } from './rule-editor.tsx';
import { loadRuleText } from './rule-text.ts';

/** `base`: the stored text that was edited. */
type Edit = { base: string; text: string };

export function RulePage({ hive, name }: { hive: string; name: string }) {
  const { oid } = current();
  const target = { oid, hive, name };
  const yaml = useLoaded(loadRuleText, []);
  const { value: record, ...loaded } = useLoaded((stopped) => readRule(target, stopped), [oid, hive, name]);
  const [edit, setEdit] = useState<Edit | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const isStored = useRef(false);
  const etag = record?.sys_mtd.etag;
  useEffect(() => {
    if (isStored.current) setEdit(null);
    isStored.current = false;
  }, [etag]);
  if (!record || etag === undefined) return <Pending title={name} {...loaded} />;
  if (!yaml.value) return <Pending title={name} {...yaml} />;

  const stored = yaml.value.write(record.data);
  const isChanged = edit !== null && edit.text !== stored;
  const hasConflict = isChanged && edit.base !== stored;
  const { last_mod, last_author, last_error, author } = record.sys_mtd;
  const { enabled, comment } = record.usr_mtd;

  const store = async (data: unknown) => {
    try {
      await storeRule(target, { data, etag });
      isStored.current = true;
    } finally {
      loaded.again();
    }
  };
  const enable = async () => {
    try {
      await storeMetadata(target, { usr_mtd: { ...record.usr_mtd, enabled: !enabled }, etag });
      setFault(null);
    } catch (error) {
      setFault(sentenceOf(error));
    }
    loaded.again();
  };
  return (
    <>
      <Head title={name}>
        <button type="button" class={enabled ? '' : 'primary'} onClick={() => void enable()}>
          {enabled ? 'Disable' : 'Enable'}
        </button>
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          Delete …
        </button>
        <a class="button" href="#/rules">
          All rules
        </a>
      </Head>
      <p class="row">
        <StateDot state={enabled ? 'enabled' : 'disabled'} />
        <span class="sub">{hive}</span>
        {last_mod ? (
          <span class="sub">
            changed <Ago at={last_mod} /> {last_author ? `by ${shown(last_author)}` : ''}
          </span>
        ) : null}
        {author ? <span class="sub">author {shown(author)}</span> : null}
      </p>
      <Fault text={fault ?? loaded.fault} />
      {comment ? <p>{shown(comment)}</p> : null}
      {last_error ? <p class="fault">{last_error}</p> : null}
      {hasConflict ? (
        <Conflict
          stored={stored}
          onKeepMine={() => setEdit({ ...edit, base: stored })}
          onUseStored={() => setEdit(null)}
        />
      ) : null}
      <RuleEditor
        target={target}
        text={edit?.text ?? stored}
        yaml={yaml.value}
        canStore={isChanged && !hasConflict}
        onText={(text) => setEdit({ base: edit?.base ?? stored, text })}
        onStore={store}
      />
      {asking ? (
        <Delete
          name={name}
          onClose={() => setAsking(false)}
          onDelete={() => deleteRule(target, etag)}
          again={loaded.again}
        />
      ) : null}
    </>
  );
}

type ConflictProps = { stored: string; onKeepMine(): void; onUseStored(): void };

function Conflict({ stored, onKeepMine, onUseStored }: ConflictProps) {
  return (
    <section class="card" aria-label="Changed by someone else">
      <p class="fault" role="alert">
        Someone else has changed this rule since you opened it. Your version is not saved. It is still in the editor
        below.
      </p>
      <CopyBox label="Stored version" text={stored} />
      <div class="row conflict">
        <button type="button" onClick={onUseStored}>
          Use stored version
        </button>
        <button type="button" class="danger" onClick={onKeepMine}>
          Keep my version
        </button>
      </div>
    </section>
  );
}

type DeleteProps = { name: string; onClose(): void; onDelete(): Promise<unknown>; again(): void };

function Delete({ name, onClose, onDelete, again }: DeleteProps) {
  const [fault, setFault] = useState<string | null>(null);
  const remove = async () => {
    try {
      await onDelete();
      go('/rules');
    } catch (error) {
      setFault(sentenceOf(error));
      if (error instanceof ApiFault && error.status === 409) again();
    }
  };
  return (
    <Dialog title={`Delete ${shown(name)}?`} onClose={onClose}>
      <p>The rule no longer runs. Its detections stay. This cannot be undone.</p>
      <Fault text={fault} />
      <footer>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={() => void remove()}>
          Delete rule
        </button>
      </footer>
    </Dialog>
  );
}
