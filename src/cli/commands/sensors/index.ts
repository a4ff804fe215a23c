/** `sensors`: which there are, what is known of one, and what can be changed of it. */
import type { Command } from 'commander';
import type { Io } from '../../io.ts';
import { withExamples } from '../../options.ts';
import { registerChanges } from './change.ts';
import { registerForget } from './forget.ts';
import { registerSensorList } from './list.ts';
import { registerSensorShow } from './show.ts';

export function registerSensors(program: Command, io: Io): void {
  const sensors = program
    .command('sensors')
    .summary('list, show, tag, isolate and forget sensors')
    .description('Shows sensors, and changes what the platform knows of them.');
  withExamples(sensors, io, [['sensors list --online', 'those that are online']]);
  registerSensorList(sensors, io);
  registerSensorShow(sensors, io);
  registerChanges(sensors, io);
  registerForget(sensors, io);
}
