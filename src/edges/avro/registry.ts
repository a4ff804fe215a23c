/** The schema registry, as far as the codec needs it: our schemas in, writer schemas of others out.
 *  Guarantees: a schema id is fetched once, by at most `FETCHES_AT_ONCE` requests at a time, each with a time limit. An id that the
 *  registry does not know (or whose schema is not Avro) counts as unknown for `UNKNOWN_FOR_MS`. A registry that is away is
 *  distinguished from one that does not know an id. */
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro, { type Schema, type Type } from 'avsc';
import { systemClock, type TimeSource } from '../../async/clock.ts';
import { withinMs } from '../../async/within-ms.ts';
import { CodecError, messageOf } from './error.ts';
import { parseWriterSchema } from './schema-files.ts';

const FETCHES_AT_ONCE = 8;
const UNKNOWN_FOR_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Registries count in Java ints. A larger id is not asked for: one that answers it with an error would stop the partition. */
const ID_MAX = 0x7fffffff;

/** registered: the schema is there · compatible, incompatible: with the latest that is there · new: nothing is there yet.
 *  `level`: the subject's own compatibility level, or null. */
export type SubjectReport = { state: 'registered' | 'compatible' | 'incompatible' | 'new'; level: string | null };

export class Registry {
  readonly #client: SchemaRegistry;
  readonly #clock: Pick<TimeSource, 'after' | 'monoMs'>;
  /** A request of the registry's API for which the client has no call. With a body it is sent, else asked. */
  readonly #ask: (path: string, method?: 'GET' | 'PUT' | 'POST', body?: object) => Promise<Response>;
  readonly #known = new Map<number, Type>();
  /** Why an id cannot be used, and until when this counts. After that the id is fetched again. */
  readonly #unknown = new Map<number, { reason: string; untilMs: number }>();

  /** `url` may carry `user:password@`. */
  constructor(url: string, clock: Pick<TimeSource, 'after' | 'monoMs'> = systemClock) {
    this.#clock = clock;
    const { host, username, password } = addressOf(url);
    const auth = username ? { auth: { username, password } } : {};
    this.#client = new SchemaRegistry({ host, clientId: 'reliable-tasking', ...auth });
    const basic = Buffer.from(`${username}:${password}`).toString('base64');
    this.#ask = (path, method = 'GET', body) =>
      fetch(`${host}${path}`, {
        method,
        headers: {
          'content-type': 'application/vnd.schemaregistry.v1+json',
          ...(username ? { authorization: `Basic ${basic}` } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
  }

  /** The id of a schema under a subject, registered if it is not there; a subject without a level is set to BACKWARD.
   *  @throws CodecError schema_incompatible or unavailable. */
  async register(subject: string, schema: Schema): Promise<number> {
    const ours: OurSchema = { type: SchemaType.AVRO, schema: JSON.stringify(schema) };
    try {
      return await withinMs(REQUEST_TIMEOUT_MS, this.#registerOrLookUp(subject, ours), undefined, this.#clock);
    } catch (error) {
      throw registerError(subject, error);
    }
  }

  /** A schema that is registered already is enough, whatever else failed: an operator may have changed the level of the subject and
   *  registered by hand, or another process sets the level at the same time. */
  async #registerOrLookUp(subject: string, schema: OurSchema): Promise<number> {
    try {
      return (await this.#client.register(schema, { subject, compatibility: COMPATIBILITY.BACKWARD })).id;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const id = await this.#client.getRegistryIdBySchema(subject, schema).catch((lookUp: unknown) => {
        // Without a status: the registry has answered that it is not there.
        throw statusOf(lookUp) === undefined ? error : lookUp;
      });
      await this.#protect(subject);
      return id;
    }
  }

  /** The client registers first and sets the level then: a process that ended in between has left the subject at NONE. */
  async #protect(subject: string): Promise<void> {
    if ((await this.#level(subject)) !== 'NONE') return;
    const path = `/config/${encodeURIComponent(subject)}`;
    const { ok, status } = await this.#ask(path, 'PUT', { compatibility: 'BACKWARD' });
    // 409: another process has just done it.
    if (!ok && status !== 409) throw new Error(`setting ${subject} to BACKWARD gave status ${status}`);
  }

  /** undefined: the subject has none of its own. */
  async #level(subject: string): Promise<string | undefined> {
    const answer = await this.#ask(`/config/${encodeURIComponent(subject)}`);
    return ((await answer.json()) as { compatibilityLevel?: string }).compatibilityLevel;
  }

  /** How a schema stands with a subject, without registering it. @throws CodecError unavailable */
  async inspect(subject: string, schema: Schema): Promise<SubjectReport> {
    const name = encodeURIComponent(subject);
    const body = { schema: JSON.stringify(schema) };
    try {
      const known = await this.#ask(`/subjects/${name}`, 'POST', body);
      const level = (await this.#level(subject)) ?? null;
      if (known.ok) return { state: 'registered', level };
      // Some registries find every schema compatible with a subject that is not there.
      if ((await this.#ask(`/subjects/${name}/versions`, 'GET')).status === 404) return { state: 'new', level };
      const checked = await this.#ask(`/compatibility/subjects/${name}/versions/latest`, 'POST', body);
      if (!checked.ok) throw new Error(`the check of ${subject} gave status ${checked.status}`);
      const { is_compatible } = (await checked.json()) as { is_compatible?: boolean };
      return { state: is_compatible ? 'compatible' : 'incompatible', level };
    } catch (error) {
      throw new CodecError(
        'unavailable',
        `the schema registry can't say how ${subject} stands: ${messageOf(error)}`,
        error,
      );
    }
  }

  /** Makes sure that each id is either known or known to be unusable. @throws CodecError unavailable */
  async fetch(ids: Iterable<number>): Promise<void> {
    const nowMs = this.#clock.monoMs();
    for (const [id, { untilMs }] of this.#unknown) if (untilMs <= nowMs) this.#unknown.delete(id);
    const missing = [...new Set(ids)].filter((id) => id <= ID_MAX && !this.#known.has(id) && !this.#unknown.has(id));
    const worker = async () => {
      for (let id = missing.pop(); id !== undefined; id = missing.pop()) await this.#fetchOne(id);
    };
    await Promise.all(Array.from({ length: Math.min(FETCHES_AT_ONCE, missing.length) }, worker));
  }

  /** The writer schema of an id that was fetched. @throws CodecError schema_unknown, or unavailable if it never was. */
  writer(id: number): Type {
    const type = this.#known.get(id);
    if (type) return type;
    if (id > ID_MAX) throw new CodecError('schema_unknown', `schema id ${id}: no registry has such an id`);
    const unknown = this.#unknown.get(id);
    if (unknown) throw new CodecError('schema_unknown', `schema id ${id}: ${unknown.reason}`);
    throw new CodecError('unavailable', `schema id ${id} has not been fetched from the registry yet`);
  }

  async #fetchOne(id: number): Promise<void> {
    try {
      this.#known.set(
        id,
        avroType(await withinMs(REQUEST_TIMEOUT_MS, this.#client.getSchema(id), undefined, this.#clock)),
      );
    } catch (error) {
      const reason = unusableBecause(error);
      if (reason === undefined) {
        throw new CodecError(
          'unavailable',
          `the schema registry can't give schema id ${id}: ${messageOf(error)}`,
          error,
        );
      }
      this.#unknown.set(id, { reason, untilMs: this.#clock.monoMs() + UNKNOWN_FOR_MS });
    }
  }
}

function addressOf(url: string): { host: string; username: string; password: string } {
  const address = new URL(url);
  const [username, password] = [decodeURIComponent(address.username), decodeURIComponent(address.password)];
  address.username = address.password = '';
  return { host: address.href.replace(/\/$/, ''), username, password };
}

type OurSchema = { type: SchemaType.AVRO; schema: string };

class NotUsable extends Error {}

/** Parsed again with our options: the client's own parse may wrap unions. */
function avroType(schema: unknown): Type {
  if (!avro.Type.isType(schema)) throw new NotUsable('is not an Avro schema');
  try {
    return parseWriterSchema((schema as Type).schema({ exportAttrs: true }));
  } catch (error) {
    throw new NotUsable(`is not a valid Avro schema: ${messageOf(error)}`);
  }
}

/** Why another request cannot help now; undefined: the registry is away. */
function unusableBecause(error: unknown): string | undefined {
  if (error instanceof NotUsable) return error.message;
  const status = statusOf(error);
  if (status === 404) return 'the registry does not know it';
  // Not 400: the client gives that status to a connection that failed, too.
  // Without a status and not from the network: the client could not parse what the registry gave it.
  if (status === undefined && error instanceof Error && error.name.startsWith('ConfluentSchemaRegistry'))
    return error.message;
  return undefined;
}

function registerError(subject: string, error: unknown): CodecError {
  const sentence = `the schema registry does not take our schema for ${subject}: ${messageOf(error)}`;
  return new CodecError(isRefusal(error) ? 'schema_incompatible' : 'unavailable', sentence, error);
}

/** The registry has answered, and its answer is no; or the subject's level is not the one that we ask for. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  const levelDiffers = error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError';
  return status === 409 || status === 422 || levelDiffers;
}

function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : undefined;
}
