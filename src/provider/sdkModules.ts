import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import type * as EmptyModule from "google-protobuf/google/protobuf/empty_pb";
import type * as StructModule from "google-protobuf/google/protobuf/struct_pb";

/**
 * gRPC and protobuf as Pulumi's SDK has them. A package manager may well install another copy of each for this package, and
 * the SDK's clients and messages take no object of another copy's classes.
 */
const ofSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));

export const grpc = ofSdk("@grpc/grpc-js") as typeof Grpc;
export const { Empty } = ofSdk("google-protobuf/google/protobuf/empty_pb.js") as typeof EmptyModule;
export const { Struct } = ofSdk("google-protobuf/google/protobuf/struct_pb.js") as typeof StructModule;
export type Empty = EmptyModule.Empty;
export type Struct = StructModule.Struct;
