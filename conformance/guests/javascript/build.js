// Builds the component: node build.js FILE

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { component } = await componentize({
  sourcePath: path("guest.js"),
  witPath: process.env.PLUGOBS_WIT ?? path("../../../wit"),
  worldName: "plugin-component",
  // Without WASI: a component has no clock, no randomness and no streams.
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
});
await writeFile(process.argv[2], component);
