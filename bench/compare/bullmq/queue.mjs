// What worker and publisher share. The first argument is the folder that has node_modules.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

export const require = createRequire(join(resolve(process.argv[2]), "package.json"));
export const CONDITIONS = JSON.parse(process.env.CONDITIONS);
export const NAME = "deliveries";

const { Redis } = require("ioredis");

// BullMQ asks for this value in workers: they wait for Redis instead of failing.
export const connect = () => new Redis(process.env.BROKER, { maxRetriesPerRequest: null });
