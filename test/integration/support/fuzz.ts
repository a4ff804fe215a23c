/**
 * Requests that a description of the API allows, and many that it does not. Pure: the same document, seed and number give the
 * same request, so a failure is found again by its number alone.
 */
import { gzipSync } from 'node:zlib';
import { oneOf, type Random, randomOf, wholeNumber } from '../../../src/fleet/random.ts';

type Json = Record<string, unknown>;
type Schema = Json & {
  type?: string;
  anyOf?: Schema[];
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
};
type Parameter = { in: 'path' | 'query'; name: string; schema: Schema };
type Operation = { parameters?: Parameter[]; requestBody?: { content: Record<string, { schema: Schema }> } };
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

/** `operation` is `METHOD /path` as the document has it; '' where the path or method was spoiled. */
export type Sent = {
  operation: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
};

/** What makes a request meaningful here: names that are known, by field. */
export type Known = { tokens: readonly string[]; values: Readonly<Record<string, readonly string[]>> };

const HOSTILE_TEXTS = [
  '',
  ' ',
  '*',
  'a/b',
  '../..',
  '%00',
  '%',
  '\0',
  '\ud800',
  '😀',
  '"',
  "' or 1==1 --",
  '{"a":1}',
  '[',
  'null',
  '-1',
  '1e400',
  '9'.repeat(30),
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(5_000),
  'plat == linux and (',
  'hostname matches `(a+)+$`',
  `${'not '.repeat(200)}plat == linux`,
  '\r\nx: y',
];
const HOSTILE_VALUES: readonly unknown[] = [
  ...HOSTILE_TEXTS,
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e300,
  [],
  {},
  ['a', 'a'],
  { a: { b: [1] } },
  JSON.parse('{"__proto__":{"x":1}}'),
];

/** The request of this number. */
export function requestOf(document: Document, known: Known, seed: number, number: number): Sent {
  const random = randomOf('fuzz', seed, number);
  const chance = (share: number) => random() < share;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const { path, method, operation } = oneOf(random, operations);
  const maker = new Maker(document, known, random);
  const headers: Record<string, string> = {};
  if (!chance(0.03))
    headers.authorization = chance(0.95) ? `Bearer ${oneOf(random, known.tokens)}` : oneOf(random, BAD_AUTHORIZATION);
  if (chance(0.05)) headers['idempotency-key'] = oneOf(random, ['', 'k', 'k'.repeat(300), 'a b']);
  const body = maker.body(operation, headers);
  const isSpoiled = chance(0.03);
  return {
    operation: isSpoiled ? '' : `${method} ${path}`,
    method: isSpoiled ? oneOf(random, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) : method,
    path: (isSpoiled ? oneOf(random, BAD_PATHS) : maker.path(path, operation)) + maker.query(operation),
    headers,
    body,
  };
}

const BAD_AUTHORIZATION = ['Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic eDp5', '', `Bearer ${'x'.repeat(4_000)}`];
const BAD_PATHS = [
  '/',
  '//',
  '/v1',
  '/v1/',
  '/v1/%',
  '/v1/%zz',
  '/v1/%FF/tags',
  '/v1/%00',
  '/nope',
  `/v1/${'x'.repeat(2_000)}`,
  '/v1/a/b/c/d/e/f',
  '/docs/../../etc/passwd',
  '/docs/static/%2e%2e%2findex.js',
];

class Maker {
  readonly #document: Document;
  readonly #known: Known;
  readonly #random: Random;

  constructor(document: Document, known: Known, random: Random) {
    this.#document = document;
    this.#known = known;
    this.#random = random;
  }

  path(path: string, _operation: Operation): string {
    return path.replace(/\{(\w+)\}/g, (_match, name: string) => {
      const value = this.#chance(0.9) ? this.#named(name) : undefined;
      return encodeURIComponent((value ?? oneOf(this.#random, HOSTILE_TEXTS)).toWellFormed()) || '%20';
    });
  }

  query({ parameters = [] }: Operation): string {
    const given = parameters.filter(({ in: part }) => part === 'query' && this.#chance(0.4));
    const deliveries = given.map(
      ({ name, schema }) => `${name}=${this.#encoded(this.#text(this.#value(name, schema)))}`,
    );
    if (this.#chance(0.02))
      deliveries.push(oneOf(this.#random, ['%', '%FF=1', 'a', '=', '&&', `x=${'y'.repeat(3_000)}`]));
    return deliveries.length === 0 ? '' : `?${deliveries.join('&')}`;
  }

  /** Sets the content type too. */
  body({ requestBody }: Operation, headers: Record<string, string>): Buffer {
    const content = requestBody?.content;
    if (content === undefined || this.#chance(0.03)) return this.#odd(headers);
    const [type, { schema }] = oneOf(this.#random, Object.entries(content)) as [string, { schema: Schema }];
    headers['content-type'] = this.#chance(0.02)
      ? oneOf(this.#random, ['text/xml', ';', `${type}; charset=utf-16`])
      : type;
    const fields = this.#object(schema);
    if (type.endsWith('json')) return Buffer.from(JSON.stringify(fields));
    return Buffer.from(
      Object.entries(fields)
        .flatMap(([name, value]) => this.#deliveries(name, value))
        .join('&'),
    );
  }

  /** What no program sends on purpose: no body, bytes, deep or broken JSON, much of it. */
  #odd(headers: Record<string, string>): Buffer {
    const type = oneOf(this.#random, ['', 'application/x-www-form-urlencoded', 'application/json', 'text/plain']);
    if (type !== '') headers['content-type'] = type;
    const bodies: (() => Buffer)[] = [
      () => Buffer.alloc(0),
      () => Buffer.from([0xff, 0xfe, 0x00]),
      () => Buffer.from('['.repeat(5_000)),
      () => Buffer.from(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`),
      () => Buffer.from('{"a":1e999,"b":"\\u0000"}'),
      () => Buffer.from('a=1&a=2&%=%&=&data={"x":"&}'),
      () => Buffer.alloc(70_000, 'a'),
    ];
    return oneOf(this.#random, bodies)();
  }

  #object(schema: Schema): Json {
    const fields: Json = {};
    const required = (schema.required as string[] | undefined) ?? [];
    for (const [name, field] of Object.entries(schema.properties ?? {}))
      if (this.#chance(required.includes(name) ? 0.97 : 0.5)) fields[name] = this.#value(name, field);
    if (this.#chance(0.02)) fields[oneOf(this.#random, HOSTILE_TEXTS)] = oneOf(this.#random, HOSTILE_VALUES);
    if (fields.gzdata !== undefined && this.#chance(0.9)) {
      fields.gzdata = gzipSync(this.#chance(0.05) ? Buffer.alloc(200_000) : JSON.stringify(this.#data())).toString(
        'base64',
      );
      if (this.#chance(0.9)) delete fields.data;
    }
    if (fields.request_data !== undefined && this.#chance(0.9)) {
      const text = JSON.stringify({ action: this.#named('action'), ...this.#data() });
      fields.request_data = Buffer.from(text).toString('base64');
    }
    return fields;
  }

  /** The data of some action. */
  #data(): Json {
    const schemas = Object.entries(this.#document.components.schemas).filter(([name]) => name.endsWith('_data'));
    return this.#object(oneOf(this.#random, schemas)[1]);
  }

  #value(name: string, schema: Schema): unknown {
    if (this.#chance(0.15)) return oneOf(this.#random, HOSTILE_VALUES);
    if (schema.$ref !== undefined) return this.#data();
    if (schema.anyOf !== undefined) return this.#value(name, oneOf(this.#random, schema.anyOf));
    const known = this.#named(name);
    if (schema.type === 'array')
      return Array.from({ length: wholeNumber(this.#random, 0, 3) }, () => this.#value(name, schema.items ?? {}));
    if (schema.type === 'object') return this.#object(schema);
    if (schema.type === 'boolean') return this.#chance(0.5);
    if (schema.type === 'integer' || schema.type === 'number') return wholeNumber(this.#random, 0, 1_000);
    if (schema.type === 'null') return null;
    if (name === 'data') return JSON.stringify(this.#data());
    return known ?? `text-${wholeNumber(this.#random, 0, 20)}`;
  }

  #named(name: string): string | undefined {
    const values = this.#known.values[name];
    return values === undefined ? undefined : oneOf(this.#random, values);
  }

  #deliveries(name: string, value: unknown): string[] {
    const texts = Array.isArray(value) ? value : [value];
    const deliveries = texts.map((each) => `${this.#encoded(name)}=${this.#encoded(this.#text(each))}`);
    return this.#chance(0.01) ? [...deliveries, ...deliveries] : deliveries;
  }

  #text(value: unknown): string {
    if (typeof value === 'boolean') return this.#chance(0.5) ? String(value) : value ? 'True' : 'False';
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** As a program encodes it, or now and then as a person types it. */
  #encoded(text: string): string {
    if (this.#chance(0.05)) return text.replace(/[\0-\x20\x7f-\uffff]/g, '');
    return encodeURIComponent(text.toWellFormed());
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}
