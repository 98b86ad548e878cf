import resource

raised = []
names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
for name in names:
    limit = getattr(resource, name)
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        try:
            resource.setrlimit(limit, (hard + 1, hard + 1))
            raised.append(name)
        except (OSError, ValueError):
            pass
print("ESCAPED" if raised else "CONTAINED", raised)
