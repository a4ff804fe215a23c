// npm run console:types: src/console/api/generated.ts, the types of what the API answers, from its own description. No server
// listens and nothing is connected to. A unit test holds the committed file to this.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { packageRoot } from '../src/stack/paths.ts';
import { Memory, startApi } from '../test/api/support/memory.ts';

export const GENERATED = join(packageRoot, 'src', 'console', 'api', 'generated.ts');

const BANNER =
  '/** What the API answers. Made from its description by `npm run console:types`; changes belong there. */';
const STYLE = { printWidth: 120, singleQuote: true };

type Json = Record<string, unknown>;
type Operation = { operationId: string; responses: Record<string, { content?: Record<string, { schema: Json }> }> };

type Document = { components: { schemas: Json }; paths: Record<string, Record<string, Operation>> };

/** The text of the file. */
export async function consoleTypes(): Promise<string> {
  const { components, paths } = await description();
  const wanted = Object.entries(components.schemas).filter(([name]) => !name.endsWith('_data'));
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const definitions = Object.fromEntries([...wanted, ...operations.flatMap(answersOf)]);
  const root = { type: 'object', definitions: bare(definitions) } as const;
  const options = { additionalProperties: false, bannerComment: BANNER, unreachableDefinitions: true, style: STYLE };
  return (await compile(root, 'Root', options)).replace(NOTES, '');
}

/** What the compiler writes of the whole that these are parts of. */
const NOTES = /^ *\/\*\*\n *\* This interface was referenced[^/]*\*\/\n|^export interface Root \{\}\n/gm;

async function description(): Promise<Document> {
  const server = await startApi(new Memory());
  const { body } = await server.inject('/openapi.json');
  await server.close();
  return JSON.parse(body) as Document;
}

/** An answer in JSON that has fields, under the name of its operation; that of the extension is by action. */
function answersOf({ operationId, responses }: Operation): [string, Json][] {
  const schema = responses[200]?.content?.['application/json']?.schema;
  const hasFields = /"(properties|additionalProperties|patternProperties)":\{"/.test(JSON.stringify(schema) ?? '');
  const isByAction = operationId === 'post_v1_extension_request_name';
  return schema && hasFields && !isByAction ? [[`${operationId}_answer`, schema]] : [];
}

/** Without sentences, which are for the readers of the description, and with references as the compiler reads them. */
function bare(schemas: Json): Record<string, object> {
  const text = JSON.stringify(schemas, (key, value) =>
    key === 'description' && typeof value === 'string' ? undefined : value,
  );
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/definitions/'));
}

if (import.meta.main) writeFileSync(GENERATED, await consoleTypes());
