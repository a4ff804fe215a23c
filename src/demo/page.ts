/** The text that the demonstration prints beside the live events. Pure. */
import type { Paint } from '../cli/io.ts';
import { table } from '../cli/text/table.ts';
import { EXTENSION } from '../orgs/table.ts';
import type { Identity } from './identity.ts';
import type { Row } from './tally.ts';

export function tallyText(rows: readonly Row[], paint: Paint): string {
  return table(
    ['', 'EXPECTED', 'SEEN', ''],
    rows.map(({ what, expected, seen }) => [
      what,
      String(expected),
      String(seen),
      seen === expected ? paint('green', 'ok') : paint('red', 'not as expected'),
    ]),
    paint,
  );
}

/** The address of the server, and lines to paste into a shell. */
export function inviteText(url: string, identity: Identity, kafkaBrokers: readonly string[], paint: Paint): string {
  const title = (text: string) => paint('bold', text);
  return `
${title('Server')}      ${url}
${title('Org')}         ${identity.oid}
${title('API key')}     ${identity.apiKey}
${title('JWT secret')}  ${identity.jwtSecret}

${title('By curl')}
export RT_URL=${url} RT_OID=${identity.oid} RT_API_KEY=${identity.apiKey}
TOKEN=$(curl -s $RT_URL/ --data "oid=$RT_OID&secret=$RT_API_KEY" | sed 's/.*"jwt":"\\([^"]*\\)".*/\\1/')
ask() { curl -s $RT_URL/v1/extension/request/${EXTENSION} -H "Authorization: Bearer $TOKEN" --data "oid=$RT_OID&action=$1&data=$2"; echo; }
ask task '{"task":"os_version","selector":"plat==linux","ttl":3600}'
ask list '{}'
ask untask '{"task_id":"TASK_ID"}'

${title('By command line')}
npm run -s rt -- task os_version --tag production --ttl 1h
npm run -s rt -- list
npm run -s rt -- watch
KAFKA_BROKERS=${kafkaBrokers.join(',')} npm run -s rt -- fleet --sensors 50 --offline 10 --seed 2
`;
}
