/** Runs that callers share, so that many who ask at once cost one answer. */

/** None gets the answer of a run that began before it. */
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

/** Those who ask for the same while it is under way get one answer; it may be of a moment before they asked. */
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
