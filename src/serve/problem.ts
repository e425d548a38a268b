import * as z from 'zod';

/** RFC 9457 problem document: what every error of the HTTP API looks like. */
export const problemBody = z
  .object({
    type: z.string().meta({ description: 'urn:inferpath:problem:<kebab-case>; stable, for programs.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional().meta({ description: 'What was wrong here, and how to mend it.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'JSON pointer, or the name of a parameter.' }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'problem', description: 'An error, as RFC 9457 wants it.' });
export type ProblemBody = z.infer<typeof problemBody>;

const titles = {
  'bad-request': [400, 'The request is malformed'],
  'path-not-canonical': [400, 'The path is not in its canonical form'],
  unauthenticated: [401, 'Authentication is required'],
  forbidden: [403, 'This is not allowed to you'],
  'wrong-origin': [403, 'The request comes from another web site'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  conflict: [409, 'Somebody else was faster'],
  'body-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body is of the wrong type'],
  'wrong-host': [421, 'This server does not answer to that name'],
  'invalid-input': [422, 'The input is not valid'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Something failed here'],
  'not-implemented': [501, 'This server was started without that'],
  busy: [503, 'The server cannot take this now'],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemType = keyof typeof titles;

/** An error that is told to the client; anything else that is thrown becomes `internal` and is told to the log only. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly type: ProblemType;
  readonly headers: Record<string, string>;
  readonly errors: ProblemBody['errors'];

  constructor(
    type: ProblemType,
    detail?: string,
    more: { headers?: Record<string, string>; errors?: NonNullable<ProblemBody['errors']> } = {},
  ) {
    super(detail ?? titles[type][1]);
    this.type = type;
    this.headers = more.headers ?? {};
    this.errors = more.errors;
  }

  get status(): number {
    return titles[this.type][0];
  }

  response(): Response {
    const [status, title] = titles[this.type];
    const body: ProblemBody = { type: `urn:inferpath:problem:${this.type}`, title, status };
    if (this.message !== title) body.detail = this.message;
    if (this.errors) body.errors = this.errors;
    const headers = { ...this.headers, 'content-type': 'application/problem+json' };
    return new Response(JSON.stringify(body), { status, headers });
  }
}

/** The problems of a value that a schema refused, each with its place. Values are not repeated: they may be secrets. */
export function invalidInput(error: z.ZodError, where: string): Problem {
  const errors = error.issues.slice(0, 50).map((issue) => ({
    pointer: `${where}${issue.path.map((p) => `/${String(p).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`,
    detail: issue.message,
  }));
  return new Problem('invalid-input', `${errors.length} mistake${errors.length === 1 ? '' : 's'}`, { errors });
}
