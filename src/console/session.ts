/** Who is signed in and for which org. Nothing of it outlives the page. */
import { signal } from '@preact/signals';
import { type Credentials, call, signIn, signOut } from './api/client.ts';
import { startStream, stopStream } from './api/stream.ts';
import type { Subscriptions, Who } from './api/types.ts';

export type Org = { oid: string; name: string };
export type Session = { oid: string; orgs: Org[]; credentials: Credentials };

export const session = signal<Session | null>(null);
/** null: not known yet. */
export const subscribed = signal<boolean | null>(null);

const EXTENSION = 'ext-reliable-tasking';

/** Signs in; with a user key the orgs are those of the user, and the first is taken. Throws ApiFault. */
export async function enter(credentials: Credentials): Promise<void> {
  await signIn(credentials);
  const { orgs: oids } = await call<Who>('/v1/who');
  const [first] = oids;
  if (first === undefined) {
    signOut();
    throw new Error('This key opens no org.');
  }
  const orgs = oids.map((oid) => ({ oid, name: oid }));
  await choose({ oid: credentials.oid ?? first, orgs, credentials });
}

export async function choose(next: Session): Promise<void> {
  session.value = next;
  subscribed.value = null;
  await lookUpSubscription();
  startStream(next.oid);
}

export async function lookUpSubscription(): Promise<void> {
  const { oid } = current();
  subscribed.value = EXTENSION in (await call<Subscriptions>(`/v1/orgs/${oid}/subscriptions`));
}

export async function setSubscription(on: boolean): Promise<void> {
  const path = `/v1/orgs/${current().oid}/subscription/extension/${EXTENSION}`;
  await call(path, { method: on ? 'POST' : 'DELETE' });
  await lookUpSubscription();
}

export function leave(): void {
  stopStream();
  signOut();
  session.value = null;
  subscribed.value = null;
}

/** The session of a page that is only shown to somebody who is signed in. */
export function current(): Session {
  if (session.value === null) throw new Error('Nobody is signed in.');
  return session.value;
}
