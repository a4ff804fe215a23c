/** Commands for operators. They read and write Kafka and Redis directly. */
import type { Command } from 'commander';
import type { Io } from '../../io.ts';
import { registerDeadLetter } from './dead-letter.ts';
import { registerDoctor } from './doctor.ts';
import { registerRebuild } from './rebuild.ts';
import { registerSchemas } from './schemas.ts';
import { registerVerify } from './verify.ts';

/** In the order of the help. */
export const OPERATIONS: readonly ((program: Command, io: Io) => void)[] = [
  registerDoctor,
  registerVerify,
  registerRebuild,
  registerDeadLetter,
  registerSchemas,
];
