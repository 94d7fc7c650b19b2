// Writing stored objects anew in the version in which they are stored now: the order for it, and who carries it out. Imported by the program around a server.
export { runStorageMigrator, type StorageMigratorOptions } from "./migrator.ts";
export { StorageVersionMigration } from "./storage-version-migration.ts";
