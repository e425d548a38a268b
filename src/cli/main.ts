#!/usr/bin/env node
import { createIo } from './io.ts';
import { runCli } from './run.ts';

const { io, finish } = createIo(process);
finish(await runCli(process.argv.slice(2), io));
