/** Who is signed in and for which org. It is kept in memory only. */
import { effect, signal } from '@preact/signals';
import { type Credentials, call, signIn, signOut, watchFaults } from './api/client.ts';
import { live, startStream, stopStream } from './api/stream.ts';
import type { Subscriptions, UserOrgs } from './api/types.ts';

export type Org = { oid: string; name: string };
export type Session = { oid: string; orgs: Org[]; credentials: Credentials };

export const session = signal<Session | null>(null);
/** null: not known yet. */
export const subscribed = signal<boolean | null>(null);

/** Why the session ended, if the user did not sign out. */
export const ended = signal<string | null>(null);

const EXTENSION = 'ext-reliable-tasking';

/** Signs in. With a user key, the orgs are those of the user, and the first one is chosen. On an ApiFault the key is discarded. */
export async function enter(credentials: Credentials): Promise<void> {
  try {
    await signIn(credentials);
    const { orgs } = await call<UserOrgs>('/v1/user/orgs?limit=1000');
    const oid = credentials.oid ?? orgs[0]?.oid;
    if (oid === undefined) throw new Error('This key has no access to any organization.');
    await choose({ oid, orgs, credentials });
    ended.value = null;
  } catch (error) {
    signOut();
    throw error;
  }
}

/** Throws ApiFault and changes nothing if the org cannot be read. */
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

// A revoked key or an ended subscription shows in the next response.
watchFaults(({ status, code }) => {
  if (session.value === null) return;
  if (code === 'not_subscribed') subscribed.value = false;
  if (status !== 401) return;
  leave();
  ended.value = 'The API key is no longer accepted: it was revoked or replaced, or has expired.';
});
effect(() => {
  if (live.value === 'live' && subscribed.peek() === false) subscribed.value = true;
});

/** The session, for pages that are shown only after sign-in. */
export function current(): Session {
  if (session.value === null) throw new Error('There is no session.');
  return session.value;
}
