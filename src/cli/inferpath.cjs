#!/usr/bin/env node
// CommonJS, because it has to run before anything uses the threads of libuv, which the loader of ES modules does. Of four, which is the
// default, the questions of a busy server take all: then it can neither unpack what agents send nor write its journal.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
void import('./main.js');
