# Short names for npm's scripts; `make run ARGS="--secure-port=8443"` passes options on.
.PHONY: run test check e2e bench clean

# Installed once, and again whenever the lock changes.
node_modules/.package-lock.json: package-lock.json
	npm ci
	touch $@

run: node_modules/.package-lock.json
	npm start -- $(ARGS)

test: node_modules/.package-lock.json
	npm test -- $(ARGS)

e2e: node_modules/.package-lock.json
	npm run test:e2e -- $(ARGS)

check: node_modules/.package-lock.json
	npm run check

bench: node_modules/.package-lock.json
	npm run bench -- $(ARGS)

# What was built and fetched; the data folder of `make run` stays.
clean:
	rm -rf .cache coverage node_modules packages/*/dist apps/*/dist examples/*/dist
