/** `sensors`: lists, shows and changes sensors. */
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
    .description('Lists and shows sensors, and changes their tags and isolation.');
  withExamples(sensors, io, [['sensors list --online', 'online sensors']]);
  registerSensorList(sensors, io);
  registerSensorShow(sensors, io);
  registerChanges(sensors, io);
  registerForget(sensors, io);
}
