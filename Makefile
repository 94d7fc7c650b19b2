# Short names for npm's scripts; `make run ARGS="--secure-port=8443"` passes options on.
.PHONY: run test check e2e bench clean create-cluster delete-cluster image import deploy log unregister manifest

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

# In a cluster of one's own, as the proof of concept had it: k3d, docker and helm are to be there.
CLUSTER ?= annex
NAMESPACE ?= annex-system
IMAGE ?= annex-ranchertokens
TAG ?= 0.1.0

create-cluster:
	k3d cluster create $(CLUSTER)

delete-cluster:
	k3d cluster delete $(CLUSTER)

image:
	docker build -f deploy/Dockerfile -t $(IMAGE):$(TAG) .

import: image
	k3d image import --cluster $(CLUSTER) $(IMAGE):$(TAG)

deploy: import
	helm upgrade --install tokens deploy/chart --namespace $(NAMESPACE) --create-namespace --set image.repository=$(IMAGE) --set-string image.tag=$(TAG)
	kubectl -n $(NAMESPACE) rollout restart deployment/tokens
	kubectl -n $(NAMESPACE) rollout status deployment/tokens

log:
	kubectl -n $(NAMESPACE) logs -f --prefix -l app.kubernetes.io/instance=tokens

# What the servers registered, when they are gone and Helm was not there to take it back.
unregister: node_modules/.package-lock.json
	npm run build
	node apps/ranchertokens/dist/main.js unregister --kubeconfig $${KUBECONFIG:-$$HOME/.kube/config} --service $(NAMESPACE)/tokens

manifest:
	helm template tokens deploy/chart --namespace $(NAMESPACE) --no-hooks > deploy/manifest.yaml
