/** The detections of the last 7 days, the newest first. */
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import type { Detection, Detections } from '../api/types.ts';
import { shown } from '../format.ts';
import { current } from '../session.ts';
import { useLoaded } from '../ui/async.ts';
import { Ago, Empty, Fault, Head } from '../ui/bits.tsx';
import { CopyBox } from '../ui/copy.tsx';
import { Dialog } from '../ui/dialog.tsx';

const SHOWN = 200;
const REFRESH_MS = 30_000;

export function DetectionsPage() {
  const { oid } = current();
  const [chosen, setChosen] = useState<Detection | null>(null);
  const { value, fault, again } = useLoaded(
    (signal) => call<Detections>(`/v1/orgs/${oid}/detections?limit=${SHOWN}`, { signal }),
    [oid],
  );
  useEffect(() => {
    const timer = setInterval(again, REFRESH_MS);
    return () => clearInterval(timer);
  }, [oid]);
  return (
    <>
      <Head title="Detections">
        <button type="button" onClick={again}>
          Refresh
        </button>
      </Head>
      <Fault text={fault} again={again} />
      {value === null && fault === null ? <p class="loading">Loading …</p> : null}
      {value?.detections.length === 0 ? (
        <Empty title="No detections in the last 7 days">
          <p>Rules with the action report create detections.</p>
        </Empty>
      ) : null}
      {value && value.detections.length > 0 ? (
        <div class="card">
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Category</th>
                <th scope="col">Sensor</th>
                <th scope="col">Hive</th>
              </tr>
            </thead>
            <tbody>
              {value.detections.map((detection) => (
                <tr key={detection.detect_id}>
                  <td>
                    <Ago at={detection.occurred_at} />
                  </td>
                  <td>
                    <button type="button" class="link" onClick={() => setChosen(detection)}>
                      <bdi>{shown(detection.cat)}</bdi>
                    </button>
                  </td>
                  <td>
                    {detection.sid ? (
                      <a href={`#/sensors/${encodeURIComponent(detection.sid)}`}>{detection.sid}</a>
                    ) : (
                      '–'
                    )}
                  </td>
                  <td>{detection.source}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {chosen ? (
        <Dialog side title={shown(chosen.cat)} onClose={() => setChosen(null)}>
          <CopyBox label="Detection" text={JSON.stringify(chosen.body, null, 2)} />
        </Dialog>
      ) : null}
    </>
  );
}
