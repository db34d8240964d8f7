locals {
  # Tasks on EC2 connect from the cluster's instances.
  allowed = var.allowed_security_group_ids != null ? var.allowed_security_group_ids : [module.look_up.values.cluster_security_group_id]
}

module "look_up" {
  source = "../look_up"

  identity = var.identity
  given = merge(
    {
      vpc_id             = var.vpc_id
      private_subnet_ids = try(join(",", var.private_subnet_ids), null)
    },
    { for key in ["cluster_security_group_id"] : key => null if var.allowed_security_group_ids == null },
  )
}

resource "aws_security_group" "this" {
  name        = var.identity.names.data_store_security_group
  description = "Callers of this data store"
  vpc_id      = module.look_up.values.vpc_id

  tags = var.identity.tags
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  # Counted, because the ids of groups made in the same run are not known yet.
  count = length(local.allowed)

  security_group_id            = aws_security_group.this.id
  description                  = "An allowed caller"
  referenced_security_group_id = local.allowed[count.index]
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port

  tags = var.identity.tags
}
