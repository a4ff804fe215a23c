/** What an operator of an installation needs: it reads and writes Kafka and Redis themselves, as the server does. */
import type { Command } from 'commander';
import type { Io } from '../../io.ts';
import { registerDeadLetter } from './dead-letter.ts';
import { registerDoctor } from './doctor.ts';
import { registerRebuild } from './rebuild.ts';
import { registerSchemas } from './schemas.ts';
import { registerVerify } from './verify.ts';

/** In the order in which help lists them. */
export const OPERATIONS: readonly ((program: Command, io: Io) => void)[] = [
  registerDoctor,
  registerVerify,
  registerRebuild,
  registerDeadLetter,
  registerSchemas,
];
