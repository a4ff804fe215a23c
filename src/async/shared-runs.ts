/** Runs that callers share, so that many callers at the same time cost one run. */

/** No caller gets the result of a run that began before its call. */
export function sharedRuns<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const start = (): Promise<T> => {
    next = null;
    running = run().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    if (running === null) return start();
    next ??= running.then(start, start);
    return next;
  };
}

/** Callers with the same key share the current run, which may have begun before their call. */
export function sharedBy<K, T>(run: (key: K) => Promise<T>): (key: K) => Promise<T> {
  const running = new Map<K, Promise<T>>();
  return (key) => {
    const known = running.get(key);
    if (known) return known;
    const mine = run(key).finally(() => running.delete(key));
    running.set(key, mine);
    return mine;
  };
}
