/** What the schemas of records are made of. A record is what its schema says: types are derived from schemas, never beside them. */
import { Type } from '@sinclair/typebox';
import type { TSchema } from '@sinclair/typebox';

export type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

export const object = <T extends Record<string, TSchema>>(properties: T, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) });
export const count = (description: string) => Type.Integer({ minimum: 0, description });
export const text = (description: string) => Type.String({ description });
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const sha256 = (of: string) => Type.String({ pattern: '^[0-9a-f]{64}$', description: `SHA-256 of ${of}, hex` });

export const estimate = (description: string) =>
  object(
    {
      mean: Type.Number(),
      low: nullable(
        Type.Number({ description: 'lower end of the 95 % interval; null where there is none (one pair)' }),
      ),
      high: nullable(Type.Number({ description: 'upper end of the 95 % interval' })),
      count: count('how many pairs'),
    },
    description,
  );

export const sidecar = object({
  file: text('npy file beside the record'),
  sha256: sha256('the file'),
  dtype: Type.Union([Type.Literal('<f8'), Type.Literal('<f4'), Type.Literal('|u1'), Type.Literal('<i4')]),
  shape: Type.Array(count('length of an axis')),
  axes: Type.Array(text('what the axis runs over: edge | example | …')),
  what: Type.String(),
});

/** A schema as it is published. */
export const published = (title: string, schema: TSchema): Readonly<Record<string, unknown>> => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title,
  ...schema,
});

/** How something was attributed. */
export const method = object({
  key: Type.String(),
  title: Type.String(),
  reference: Type.String(),
  options: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'every option of the method with its value; absent from records of versions that did not keep it',
    }),
  ),
});

/** All that a run was asked, so that it can be asked again; absent from records of versions that did not keep it. */
export const request = Type.Optional(
  Type.Record(Type.String(), Type.Unknown(), {
    description:
      'every option of the run with the value it had, model and task as they were named; what has no value was left to the program',
  }),
);

/** What every record says of how it came about, beside the report, which says more. */
export const origin = {
  schemaVersion: Type.Literal(1),
  request,
  versions: object({ thevenin: Type.String(), node: Type.String(), runtime: text('title of the runtime') }),
  model: object({
    name: text('name only, no path'),
    weightsSha256: sha256('the weight files'),
    tokenizerSha256: Type.Optional(nullable(sha256('what defines the tokenizer'))),
  }),
  task: object({
    name: Type.String(),
    sha256: sha256('the task file as read'),
    metric: Type.String(),
    pairs: count('pairs asked about'),
  }),
  timings: object({ startedAt: text('ISO 8601'), totalSeconds: Type.Number({ minimum: 0 }) }),
};
export const direction = Type.Union([Type.Literal('noising'), Type.Literal('denoising')], {
  description: 'noising: corrupt values come into the clean run; denoising: clean values into the corrupt run',
});
