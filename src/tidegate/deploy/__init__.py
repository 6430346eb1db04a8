"""SAM and CloudFormation templates become stacks of a running Tidegate.

`run.deploy` is the way in. The room runs in the process of the command line, as a client of the management API: whatever
a template can do here, boto3 could do by hand. A template is read (`template`), its local code packed (`package`), its
SAM parts transformed by AWS's own translator (`sam`), everything checked at once (`plan`), applied step by step with the
state saved after each (`stack`), and told to a person (`report`).
"""
