/** Shell completion, written out from the commands themselves, so that it can't fall behind them. Pure. */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

type Entry = { path: string; words: { word: string; meaning: string }[] };

export function completionScript(program: Command, shell: Shell): string {
  const entries = entriesOf(program, []);
  return { bash, zsh, fish }[shell](program.name(), entries);
}

/** What may follow each command: its subcommands and its long options. */
function entriesOf(command: Command, path: string[]): Entry[] {
  const subcommands = command.commands.map((sub) => ({ word: sub.name(), meaning: sub.summary() }));
  const options = command.options.map((option) => ({ word: option.long ?? '', meaning: option.description }));
  const words = [...subcommands, ...options, { word: '--help', meaning: 'show help' }].filter(
    ({ word }) => word !== '',
  );
  return [{ path: path.join(' '), words }, ...command.commands.flatMap((sub) => entriesOf(sub, [...path, sub.name()]))];
}

const functionName = (name: string): string => `_${name.replaceAll('-', '_')}`;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The words of the line that name a command, as a shell sees them: those before the cursor that are no option. */
const CASES = (entries: Entry[], line: (entry: Entry) => string): string =>
  entries.map((entry) => `    ${quoted(entry.path)}) ${line(entry)} ;;`).join('\n');

function bash(name: string, entries: Entry[]): string {
  const paths = entries.map(({ path }) => path).filter((path) => path !== '');
  return `# bash completion for ${name}
${functionName(name)}() {
  local words='' path='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in ${paths.map(quoted).join('|')}) path="$word" ;; esac
  done
  case "$path" in
${CASES(entries, ({ words }) => `words=${quoted(words.map(({ word }) => word).join(' '))}`)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F ${functionName(name)} ${name}
`;
}

function zsh(name: string, entries: Entry[]): string {
  const paths = entries.map(({ path }) => path).filter((path) => path !== '');
  const described = ({ words }: Entry) =>
    words.map(({ word, meaning }) => quoted(`${word}:${meaning.replaceAll(':', '\\:')}`)).join(' ');
  return `#compdef ${name}
${functionName(name)}() {
  local path_='' word i
  local -a choices
  for ((i = 2; i < CURRENT; i++)); do
    word="\${path_:+$path_ }\${words[i]}"
    case "$word" in ${paths.map((path) => `(${quoted(path)})`).join('|')}) path_="$word" ;; esac
  done
  case "$path_" in
${CASES(entries, (entry) => `choices=(${described(entry)})`)}
  esac
  _describe '${name}' choices
}
compdef ${functionName(name)} ${name}
`;
}

function fish(name: string, entries: Entry[]): string {
  const lines = entries.flatMap(({ path, words }) => {
    const condition = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`;
    return words.map(({ word, meaning }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      return `complete -c ${name} -f -n ${quoted(condition)} ${what} -d ${quoted(meaning)}`;
    });
  });
  return `# fish completion for ${name}\n${lines.join('\n')}\n`;
}
