/** The page about the command line, written out from the commands themselves. Pure. */
import type { Command, Option } from 'commander';
import { CLI_CODES, EXIT_MEANINGS, serverCodes } from './codes.ts';

/** Markdown for docs/cli.md. `examplesOf` gives the text that stands below a command's help. */
export function referencePage(program: Command, examplesOf: (command: Command) => string): string {
  return `${head(program)}
${program.commands.map((command) => section(command, [], examplesOf)).join('\n')}`;
}

const head = (program: Command): string => `# The command line

<!-- Written from the commands by test/cli/reference.test.ts; \`npx vitest run test/cli -u\` writes it anew. -->

From a checkout \`npm run -s rt -- ARGS\`, when installed \`reliable-tasking ARGS\`; below, \`rt\` stands for either. Each command
takes \`--help\` (\`-h\`), and \`rt help COMMAND\` is the same. With \`--json\` a command prints one JSON document (\`watch\`, \`fleet\`, \`rebuild\`, \`selector eval\`, \`rules eval\` and
\`rules test\`: one object a line) and nothing else on standard output; what is for people, and every error, goes to standard error.

${program.commands.map((command) => `- [\`${command.name()}\`](#rt-${command.name()}): ${command.summary()}`).join('\n')}

## Settings

Commands that talk to the server look for each setting first among their options, then in the environment, then in the
profile \`$XDG_CONFIG_HOME/reliable-tasking/config.json\` (\`~/.config/…\` where that is not set).

| option | environment | profile | |
|---|---|---|---|
| \`--url\` | \`RT_URL\` | \`url\` | the server; \`http://127.0.0.1:8080\` unless given |
| \`--oid\` | \`RT_OID\` | \`oid\` | the org |
| \`--api-key\` | \`RT_API_KEY\` | \`api_key\` | a key of the org; an option shows in the machine's list of processes, so prefer the others |
| \`--uid\` | \`RT_UID\` | \`uid\` | the user, where the key is a user key; it has to stand where the key stands, or before it |

\`serve\`, \`topics\`, \`fleet\`, \`orgs\`, \`keys\`, \`dead-letter\`, \`schemas\`, \`doctor\`, \`verify\`, \`rebuild\`, \`rules test --replay\` and
\`sensors forget --kafka\` talk to Kafka, Redis or the registry themselves and read the settings of the server: \`KAFKA_BROKERS\` and so on.

## Exit codes

| code | meaning |
|---|---|
${EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}

## Error codes

An error is a code, a sentence and, where there is one, a hint, on standard error. Colours are used on a terminal, unless
\`NO_COLOR\` is set. These codes are the command line's own:

| code | exit code | |
|---|---|---|
${Object.entries(CLI_CODES)
  .map(([code, [exitCode, meaning]]) => codeRow(code, exitCode, meaning))
  .join('\n')}

And these are the server's ([api.md](api.md)); an answer without a code is \`http_\` and its status:

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
