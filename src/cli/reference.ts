/** Generates docs/cli.md from the commands. Pure. */
import type { Command, Option } from 'commander';
import { CLI_CODES, EXIT_MEANINGS, serverCodes } from './codes.ts';

/** Markdown for docs/cli.md. `examplesOf` returns the examples of a command. */
export function referencePage(program: Command, examplesOf: (command: Command) => string): string {
  return `${head(program)}
${program.commands.map((command) => section(command, [], examplesOf)).join('\n')}`;
}

const head = (program: Command): string => `# The command line

<!-- Generated from the commands by test/cli/reference.test.ts. Update it with \`npx vitest run test/cli -u\`. -->

Run \`reliable-tasking ARGS\`, or \`npm run -s rt -- ARGS\` in a checkout. On this page, \`rt\` stands for both. Each command
has \`--help\` (\`-h\`); \`rt help COMMAND\` prints the same. With \`--json\`, a command prints only one JSON document on standard output
(\`watch\`, \`fleet\`, \`rebuild\`, \`selector eval\`, \`rules eval\` and \`rules test\`: one object per line). Messages and errors go to
standard error.

${program.commands.map((command) => `- [\`${command.name()}\`](#rt-${command.name()}): ${command.summary()}`).join('\n')}

## Settings

Commands that call the server take each setting from the first of these that has it: an option, the environment, or the
profile \`$XDG_CONFIG_HOME/reliable-tasking/config.json\` (default: \`~/.config/reliable-tasking/config.json\`).

| option | environment | profile | |
|---|---|---|---|
| \`--url\` | \`RT_URL\` | \`url\` | the server (default: \`http://127.0.0.1:8080\`) |
| \`--oid\` | \`RT_OID\` | \`oid\` | the org |
| \`--api-key\` | \`RT_API_KEY\` | \`api_key\` | an API key of the org. Other users of the machine can see an option, so prefer the environment or the profile |
| \`--uid\` | \`RT_UID\` | \`uid\` | the user of a user key. Set it in the same source as the key, or in an earlier one |

\`serve\`, \`topics\`, \`fleet\`, \`orgs\`, \`keys\`, \`dead-letter\`, \`schemas\`, \`doctor\`, \`verify\`, \`rebuild\`, \`rules test --replay\` and
\`sensors forget --kafka\` connect to Kafka, Redis or the registry directly. They use the [settings of the server](settings.md), such as \`KAFKA_BROKERS\`.

## Exit codes

| code | meaning |
|---|---|
${EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}

## Error codes

Commands print an error to standard error: a code, a message and, for some errors, a hint. Output on a terminal is coloured unless
\`NO_COLOR\` is set. These are the error codes of the command line:

| code | exit code | |
|---|---|---|
${Object.entries(CLI_CODES)
  .map(([code, [exitCode, meaning]]) => codeRow(code, exitCode, meaning))
  .join('\n')}

These are the error codes of the server ([api.md](api.md)). An answer without a code has the code \`http_\` and its status:

| code | exit code | |
|---|---|---|
${serverCodes()
  .map((row) => codeRow(...row))
  .join('\n')}
`;

const codeRow = (code: string, exitCode: number, meaning: string): string =>
  `| \`${code}\` | ${exitCode} | ${meaning} |`;

function section(command: Command, parents: string[], examplesOf: (command: Command) => string): string {
  const path = [...parents, command.name()];
  const usage = command.registeredArguments.map(
    (argument) => ` ${shown(argument.name(), argument.required, argument.variadic)}`,
  );
  const options = command.options.map(optionRow);
  return `${'#'.repeat(path.length + 1)} rt ${path.join(' ')}

${command.description()}
${command.commands.length > 0 ? '' : `\n\`rt ${path.join(' ')}${options.length > 0 ? ' [options]' : ''}${usage.join('')}\`\n`}${
  options.length > 0 ? `\n| option | |\n|---|---|\n${options.join('\n')}\n` : ''
}
\`\`\`
${examplesOf(command)}
\`\`\`
${command.commands.map((sub) => `\n${section(sub, path, examplesOf)}`).join('')}`;
}

const shown = (name: string, required: boolean, variadic: boolean): string => {
  const text = `${name}${variadic ? '...' : ''}`;
  return required ? `<${text}>` : `[${text}]`;
};

function optionRow(option: Option): string {
  const notes = [
    option.description,
    ...(option.argChoices ? [`one of ${option.argChoices.join(', ')}`] : []),
    ...(option.defaultValue === undefined || option.negate ? [] : [`default ${option.defaultValue}`]),
  ];
  return `| \`${option.flags}\` | ${notes.join('; ').replaceAll('|', '\\|')} |`;
}
