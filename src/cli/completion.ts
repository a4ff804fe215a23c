/**
 * Shell completion scripts, generated from the commands. They complete subcommands, options and option values with a fixed
 * choice. For other option values they complete file names. Pure.
 */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

type Word = { word: string; meaning: string };
/** `values`: the choices of the option; empty for free text. */
type Valued = { flag: string; meaning: string; values: readonly string[] };
type Entry = { path: string; words: Word[]; valued: Valued[] };

export function completionScript(program: Command, shell: Shell): string {
  return { bash, zsh, fish }[shell](program.name(), entriesOf(program, []));
}

/** The words that can follow each command. */
function entriesOf(command: Command, path: string[]): Entry[] {
  const subcommands = command.commands.map((sub) => ({ word: sub.name(), meaning: sub.summary() }));
  const values = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((word) => ({ word, meaning: description })),
  );
  const options = command.options.flatMap((option) => (option.long ? [{ option, flag: option.long }] : []));
  const flags = options.map(({ option, flag }) => ({ word: flag, meaning: option.description }));
  const words = [...subcommands, ...values, ...flags, { word: '--help', meaning: 'show help' }];
  const valued = options
    .filter(({ option }) => option.required)
    .map(({ option, flag }) => ({ flag, meaning: option.description, values: option.argChoices ?? [] }));
  const below = command.commands.flatMap((sub) => entriesOf(sub, [...path, sub.name()]));
  return [{ path: path.join(' '), words, valued }, ...below];
}

const functionName = (name: string): string => `_${name.replaceAll('-', '_')}`;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const pathsOf = (entries: Entry[]): string[] => entries.map(({ path }) => path).filter((path) => path !== '');

const cases = (entries: Entry[], line: (entry: Entry) => string): string =>
  entries.map((entry) => `    ${quoted(entry.path)}) ${line(entry)} ;;`).join('\n');

/** Each option with a value, and its choices. */
const valueCases = (entries: Entry[], offer: (values: readonly string[]) => string): string =>
  entries
    .flatMap(({ path, valued }) => valued.map(({ flag, values }) => ({ key: `${path} ${flag}`, line: offer(values) })))
    .map(({ key, line }) => `    ${quoted(key)}) ${line} ;;`)
    .join('\n');

function bash(name: string, entries: Entry[]): string {
  const own = functionName(name);
  return `# bash completion for ${name}
${own}() {
  local words='' path='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in ${pathsOf(entries).map(quoted).join('|')}) path="$word" ;; esac
  done
  COMPREPLY=()
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${valueCases(entries, (values) => (values.length === 0 ? 'return' : `words=${quoted(values.join(' '))}`))}
  esac
  [ -n "$words" ] || case "$path" in
${cases(entries, ({ words }) => `words=${quoted(words.map(({ word }) => word).join(' '))}`)}
  esac
  # No mapfile: the bash of macOS is older than that.
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F ${own} ${name}
`;
}

function zsh(name: string, entries: Entry[]): string {
  const own = functionName(name);
  const described = ({ words }: Entry) =>
    words.map(({ word, meaning }) => quoted(`${word}:${meaning.replaceAll(':', '\\:')}`)).join(' ');
  return `#compdef ${name}
compdef ${own} ${name}
${own}() {
  local path_='' word i
  local -a choices
  for ((i = 2; i < CURRENT; i++)); do
    word="\${path_:+$path_ }\${words[i]}"
    case "$word" in
      ${pathsOf(entries).map(quoted).join('|')}) path_="$word" ;;
    esac
  done
  case "$path_ \${words[CURRENT-1]}" in
${valueCases(entries, (values) => (values.length === 0 ? '_files; return' : `compadd -- ${values.join(' ')}; return`))}
  esac
  case "$path_" in
${cases(entries, (entry) => `choices=(${described(entry)})`)}
  esac
  _describe ${quoted(name)} choices
}
# From fpath this file is the function itself, the first time it is asked for.
if [ "\${funcstack[1]}" = ${quoted(own)} ]; then ${own} "$@"; fi
`;
}

function fish(name: string, entries: Entry[]): string {
  const at = `_${functionName(name)}_at`;
  const lines = entries.flatMap(({ path, words, valued }) => {
    const start = `complete -c ${name} -n ${quoted(`${at} ${quoted(path)}`)}`;
    return words.map(({ word, meaning }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      const option = valued.find(({ flag }) => flag === word);
      const value =
        option === undefined
          ? ' -f'
          : option.values.length === 0
            ? ' -r -F'
            : ` -x -a ${quoted(option.values.join(' '))}`;
      return `${start} ${what}${value} -d ${quoted(meaning)}`;
    });
  });
  return `# fish completion for ${name}
function ${at}
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$path $word")
    contains -- "$longer" ${pathsOf(entries).map(quoted).join(' ')}; and set path "$longer"
  end
  test "$path" = "$argv[1]"
end
complete -c ${name} -f
${lines.join('\n')}
`;
}
