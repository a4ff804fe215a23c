/** Who is signed in and for which org. Nothing of it outlives the page. */
import { effect, signal } from '@preact/signals';
import { type Credentials, call, signIn, signOut, watchFaults } from './api/client.ts';
import { live, startStream, stopStream } from './api/stream.ts';
import type { Subscriptions, UserOrgs } from './api/types.ts';

export type Org = { oid: string; name: string };
export type Session = { oid: string; orgs: Org[]; credentials: Credentials };

export const session = signal<Session | null>(null);
/** null: not known yet. */
export const subscribed = signal<boolean | null>(null);

/** Why nobody is signed in any more, where it was not their own wish. */
export const ended = signal<string | null>(null);

const EXTENSION = 'ext-reliable-tasking';

/** Signs in; with a user key the orgs are those of the user, and the first is taken. Throws ApiFault, and forgets the key. */
export async function enter(credentials: Credentials): Promise<void> {
  try {
    await signIn(credentials);
    const { orgs } = await call<UserOrgs>('/v1/user/orgs?limit=1000');
    const oid = credentials.oid ?? orgs[0]?.oid;
    if (oid === undefined) throw new Error('This key opens no org.');
    await choose({ oid, orgs, credentials });
    ended.value = null;
  } catch (error) {
    signOut();
    throw error;
  }
}

/** Throws ApiFault, and all stays as it was, where the org can't be read. */
export async function choose(next: Session): Promise<void> {
  const isSubscribed = await readSubscription(next.oid);
  session.value = next;
  subscribed.value = isSubscribed;
  startStream(next.oid);
}

const readSubscription = async (oid: string): Promise<boolean> =>
  EXTENSION in (await call<Subscriptions>(`/v1/orgs/${oid}/subscriptions`));

export async function lookUpSubscription(): Promise<void> {
  subscribed.value = await readSubscription(current().oid);
}

export async function setSubscription(on: boolean): Promise<void> {
  const path = `/v1/orgs/${current().oid}/subscription/extension/${EXTENSION}`;
  await call(path, { method: on ? 'POST' : 'DELETE' });
  await lookUpSubscription();
  if (on) startStream(current().oid);
}

export function leave(): void {
  stopStream();
  signOut();
  session.value = null;
  subscribed.value = null;
}

// What others do to the key or the org in the meantime is seen by the next answer.
watchFaults(({ status, code }) => {
  if (session.value === null) return;
  if (code === 'not_subscribed') subscribed.value = false;
  if (status !== 401) return;
  leave();
  ended.value = 'The API key is not accepted any more: it was revoked or replaced, or has run out.';
});
effect(() => {
  if (live.value === 'live' && subscribed.peek() === false) subscribed.value = true;
});

/** The session of a page that is only shown to somebody who is signed in. */
export function current(): Session {
  if (session.value === null) throw new Error('Nobody is signed in.');
  return session.value;
}
