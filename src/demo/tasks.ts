/**
 * The tasks of the demonstration: form bodies as people type them into curl, with the expected outcome. The first five are the
 * examples of the documentation. A function repeats which sensors a task targets, so that the selector language is not checked
 * against itself. No I/O.
 */
import { type FleetSensor, PLATFORM_CODES } from '../fleet/sensor.ts';
import type { Cast } from './cast.ts';

/** pending: stays pending and is sent to each sensor that connects · expires, untasked: no target comes online before that. */
export type Fate = 'pending' | 'expires' | 'untasked';

export type DemoTask = { label: string; data: string; matches(sensor: FleetSensor): boolean; fate: Fate };

/** Long enough to be seen pending, short enough to wait for. Seconds. */
const SHORT_TTL_SECONDS = 6;

const isLinux = ({ facts }: FleetSensor): boolean => facts.plat === PLATFORM_CODES.linux;

export function demoTasks(cast: Cast): DemoTask[] {
  const isAway = (sensor: FleetSensor): boolean => cast.away.some(({ sid }) => sid === sensor.sid);
  const away = cast.away.map(({ sid }) => `sid=='${sid}'`).join(' or ');
  return [
    {
      label: 'whoami on windows',
      data: '{"context":"version","selector":"plat==windows","task":"run --shell-command whoami","ttl":3600}',
      matches: ({ facts }) => facts.plat === PLATFORM_CODES.windows,
      fate: 'pending',
    },
    {
      label: 'os_version of one sensor',
      data: `{"task":"os_version","selector":"sid=='sensor-123-abc'","ttl":86400}`,
      matches: ({ sid }) => sid === 'sensor-123-abc',
      fate: 'pending',
    },
    {
      label: 'file_get on production linux',
      data: '{"task":"file_get -f /etc/passwd","selector":"plat==linux and production in tags","context":"audit-2024","ttl":172800}',
      matches: (sensor) => isLinux(sensor) && sensor.facts.tags.includes('production'),
      fate: 'pending',
    },
    {
      label: 'netstat on linux in 10.3.*',
      data: `{"task":"netstat","selector":"plat==linux and int_ip matches '^10\\\\.3\\\\..*'"}`,
      matches: (sensor) => isLinux(sensor) && sensor.facts.int_ip.startsWith('10.3.'),
      fate: 'pending',
    },
    {
      label: 'os_version everywhere',
      data: '{"task":"os_version","ttl":3600}',
      matches: () => true,
      fate: 'pending',
    },
    {
      label: 'dir_list with a short ttl',
      data: `{"task":"dir_list /tmp","selector":"${away}","context":"too-late","ttl":${SHORT_TTL_SECONDS}}`,
      matches: isAway,
      fate: 'expires',
    },
    {
      label: 'echo, to be withdrawn',
      data: `{"task":"run --shell-command 'echo 1+1 && echo 100%'","selector":"${away}","ttl":3600}`,
      matches: isAway,
      fate: 'untasked',
    },
  ];
}
